// PNG with Node's own zlib: 8 bits a channel, not interlaced. Pixels are RGBA.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
/** Channels by PNG's type of colour: grey, RGB, palette, grey and alpha, RGBA. */
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MAX_PIXELS = 25_000_000;

/** Throws where the bytes are no PNG of these kinds. */
export const decode = (bytes) => {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error("not a PNG");
  const chunks = readChunks(bytes);
  const header = chunks.find(({ type }) => type === "IHDR").data;
  const [width, height, depth, colour, interlaced] = [
    ...[header.readUInt32BE(0), header.readUInt32BE(4)],
    ...[header[8], header[9], header[12]],
  ];
  const channels = CHANNELS[colour];
  if (depth !== 8 || !channels || interlaced) throw new Error("only PNGs of 8 bits a channel that are not interlaced");
  if (width * height > MAX_PIXELS) throw new Error(`more than ${MAX_PIXELS} pixels`);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const lines = inflateSync(packed, { maxOutputLength: (width * channels + 1) * height });
  const samples = unfilter(lines, width * channels, height, channels);
  const palette = chunks.find(({ type }) => type === "PLTE")?.data;
  const alphas = chunks.find(({ type }) => type === "tRNS")?.data;
  const pixels = Buffer.alloc(width * height * 4, 255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    const to = pixel * 4;
    if (colour === 3) {
      palette.copy(pixels, to, samples[at] * 3, samples[at] * 3 + 3);
      pixels[to + 3] = alphas?.[samples[at]] ?? 255;
    } else {
      const isGrey = channels < 3;
      for (let channel = 0; channel < 3; channel++) pixels[to + channel] = samples[at + (isGrey ? 0 : channel)];
      if (channels === 2 || channels === 4) pixels[to + 3] = samples[at + channels - 1];
    }
  }
  return { width, height, pixels };
};

function readChunks(bytes) {
  const chunks = [];
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    chunks.push({ type: bytes.toString("latin1", at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

/** PNG 9.2: each line is the difference from the pixel before, the line above, or both. */
function unfilter(lines, lineBytes, height, channels) {
  const out = Buffer.alloc(lineBytes * height);
  for (let line = 0; line < height; line++) {
    const from = line * (lineBytes + 1);
    const to = line * lineBytes;
    for (let byte = 0; byte < lineBytes; byte++) {
      const left = byte >= channels ? out[to + byte - channels] : 0;
      const up = line > 0 ? out[to + byte - lineBytes] : 0;
      const corner = byte >= channels && line > 0 ? out[to + byte - lineBytes - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][lines[from]];
      out[to + byte] = lines[from + 1 + byte] + guess;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [byLeft, byUp, byCorner] = [left, up, corner].map((one) => Math.abs(estimate - one));
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

/** At most so many pixels wide and high, each the mean of those that it stands for; never larger than it was. */
export const shrink = ({ width, height, pixels }, longest) => {
  const factor = Math.max(1, Math.max(width, height) / longest);
  const small = { width: Math.max(1, Math.round(width / factor)), height: Math.max(1, Math.round(height / factor)) };
  const out = Buffer.alloc(small.width * small.height * 4);
  for (let y = 0; y < small.height; y++) {
    const [top, bottom] = spanOf(y, small.height, height);
    for (let x = 0; x < small.width; x++) {
      const [left, right] = spanOf(x, small.width, width);
      const sums = [0, 0, 0, 0];
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++)
          for (let channel = 0; channel < 4; channel++) sums[channel] += pixels[(row * width + column) * 4 + channel];
      const count = (bottom - top) * (right - left);
      for (let channel = 0; channel < 4; channel++)
        out[(y * small.width + x) * 4 + channel] = Math.round(sums[channel] / count);
    }
  }
  return { ...small, pixels: out };
};

const spanOf = (at, size, of) => {
  const from = Math.floor((at * of) / size);
  return [from, Math.max(from + 1, Math.floor(((at + 1) * of) / size))];
};

export const encode = ({ width, height, pixels }) => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const lines = Buffer.alloc((width * 4 + 1) * height);
  for (let line = 0; line < height; line++)
    pixels.copy(lines, line * (width * 4 + 1) + 1, line * width * 4, (line + 1) * width * 4);
  const chunks = [
    ["IHDR", header],
    ["IDAT", deflateSync(lines)],
    ["IEND", Buffer.alloc(0)],
  ];
  return Buffer.concat([SIGNATURE, ...chunks.map(([type, data]) => toChunk(type, data))]);
};

function toChunk(type, data) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
