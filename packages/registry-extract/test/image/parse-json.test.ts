import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "../../src/image/parse-json.ts";

test("reads what JSON.parse() reads", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseJson("it", Buffer.from(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("counts values, wherever they are, and not what stands in text", () => {
  const parse = (text: string, mostValues: number): unknown => parseJson("it", Buffer.from(text), mostValues);
  for (const four of ['{"a":[{}]}', "[1,2,3]", "[[[]]]", '["a","b","c"]']) {
    expect(parse(four, 4)).toEqual(JSON.parse(four));
    expect(() => parse(four, 3)).toThrowError("it: has more than 3 values");
  }
  const text = JSON.stringify(['[{,"\\', "[[[", '\\"{{{']);
  expect(parse(text, 4)).toEqual(JSON.parse(text));
});

test("says what is no JSON", () => {
  for (const text of ["", "{", '"\\', "[1,"]) {
    expect(() => parseJson("it", Buffer.from(text))).toThrowError("it: is not JSON: it is not an image");
  }
});
