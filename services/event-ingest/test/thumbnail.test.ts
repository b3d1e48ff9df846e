import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { obsExample } from "./documented.ts";

interface Image {
  width: number;
  height: number;
  pixels: Buffer;
}
const example = (file: string) => import(new URL(`../../../examples/thumbnail/${file}`, import.meta.url).href);
const { decode, encode, shrink } = (await example("png.mjs")) as {
  decode(bytes: Buffer): Image;
  encode(image: Image): Buffer;
  shrink(image: Image, longest: number): Image;
};
const { handler } = await example("index.mjs");

const filled = (width: number, height: number, colour: number[]): Image => ({
  ...{ width, height },
  pixels: Buffer.concat(Array.from({ length: width * height }, () => Buffer.from(colour))),
});
const context = { getLogger: () => ({ info: () => undefined, warn: () => undefined }) };

describe("the example thumbnail", () => {
  afterEach(() => {
    delete process.env.OBJECTS_URL;
    delete process.env.THUMBNAILS_URL;
  });

  it("reads what it writes, and makes what is too large as small as it is told", () => {
    const small = decode(encode(shrink(decode(encode(filled(256, 64, [10, 20, 30, 200]))), 128)));
    expect([small.width, small.height]).toEqual([128, 32]);
    expect(small.pixels.equals(filled(128, 32, [10, 20, 30, 200]).pixels)).toBe(true);
  });

  it("never makes an image larger, nor nothing of one that is narrow", () => {
    expect(shrink(filled(5, 5, [1, 2, 3, 4]), 128)).toMatchObject({ width: 5, height: 5 });
    expect(shrink(filled(1000, 1, [1, 2, 3, 4]), 100)).toMatchObject({ width: 100, height: 1 });
  });

  it("refuses what is no PNG", () => {
    expect(() => decode(Buffer.from("GIF89a"))).toThrow("not a PNG");
  });

  it("says so where it is not told where objects are", async () => {
    expect(await handler(obsExample, context)).toMatchObject({ key: "job.png", skipped: "OBJECTS_URL is not set" });
  });

  it("reads the object that the event names, and stores its thumbnail", async () => {
    const seen: string[] = [];
    let stored: Image | undefined;
    const store = createServer(async (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (request.method === "PUT") stored = decode(await buffer(request));
      response.end(request.method === "GET" ? encode(filled(300, 200, [1, 2, 3, 255])) : "");
    });
    await new Promise<void>((resolve) => store.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
    Object.assign(process.env, { OBJECTS_URL: url, THUMBNAILS_URL: `${url}/small/` });
    const event = structuredClone(obsExample);
    event.Records[0]!.s3.object.key = "in/my+job%C3%A4.png";
    expect(await handler(event, context)).toMatchObject({
      key: "in/my jobä.png",
      to: { width: 128, height: 85 },
      stored: true,
    });
    expect(seen.map(decodeURIComponent)).toEqual([
      "GET /functionstorage-template/in/my jobä.png",
      "PUT /small/functionstorage-template/in/my jobä.png",
    ]);
    expect(stored).toMatchObject({ width: 128, height: 85 });
    await new Promise((resolve) => store.close(resolve));
  });
});
