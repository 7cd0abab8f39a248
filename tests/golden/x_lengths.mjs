// Counts the texts of x_lengths.json by X's own code, the npm package twitter-text 3.1.0, and writes the file
// anew: in a folder elsewhere run `npm install twitter-text@3.1.0`, then there
// `node PATH/x_lengths.mjs PATH/x_lengths.json`. Its table of emoji is of 2018, so no newer ones are in the file.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const { parseTweet } = createRequire(process.cwd() + "/")("twitter-text");
const file = process.argv[2];
const texts = Object.keys(JSON.parse(readFileSync(file, "utf8")));
const counted = Object.fromEntries(texts.map((text) => [text, parseTweet(text).weightedLength]));
writeFileSync(file, JSON.stringify(counted, null, 1) + "\n");
