import { decode, encode, shrink } from "./png.mjs";

const LONGEST_SIDE = 128;

/**
 * An object event in FunctionGraph's form: makes a thumbnail of the PNG that was uploaded. OBJECTS_URL is where the buckets
 * are read over HTTP, THUMBNAILS_URL where thumbnails are PUT; without the second, the result says what was made.
 */
export const handler = async (event, context) => {
  const log = context.getLogger();
  const { bucket, object } = event.Records[0].s3;
  // Keys in notifications are URL-encoded, with + for a space.
  const key = decodeURIComponent(object.key.replaceAll("+", " "));
  const { OBJECTS_URL, THUMBNAILS_URL } = process.env;
  if (!OBJECTS_URL) {
    log.warn(`OBJECTS_URL is not set: ${bucket.name}/${key} was not read`);
    return { bucket: bucket.name, key, skipped: "OBJECTS_URL is not set" };
  }
  const read = await fetch(toUrl(OBJECTS_URL, bucket.name, key));
  if (!read.ok) throw new Error(`reading ${bucket.name}/${key}: ${read.status}`);
  const original = decode(Buffer.from(await read.arrayBuffer()));
  const small = shrink(original, LONGEST_SIDE);
  const png = encode(small);
  if (THUMBNAILS_URL) {
    const headers = { "content-type": "image/png" };
    const written = await fetch(toUrl(THUMBNAILS_URL, bucket.name, key), { method: "PUT", headers, body: png });
    if (!written.ok) throw new Error(`writing the thumbnail of ${key}: ${written.status}`);
  }
  log.info(`${key}: ${original.width} x ${original.height} became ${small.width} x ${small.height}`);
  return {
    ...{ bucket: bucket.name, key, from: sizeOf(original), to: sizeOf(small), bytes: png.length },
    stored: Boolean(THUMBNAILS_URL),
  };
};

const sizeOf = ({ width, height }) => ({ width, height });
const toUrl = (base, bucket, key) =>
  `${base.replace(/\/$/, "")}/${[bucket, ...key.split("/")].map(encodeURIComponent).join("/")}`;
