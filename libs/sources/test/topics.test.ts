import { FnbusError } from "@fnbus/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFilter, createTopicTable, matchesTopic, parseFilters } from "../src/topics.ts";

/** What a reader of the specification would write first: one level after the other, every choice of `#` tried. */
function naive(filter: string[], topic: string[], one: string): boolean {
  const [first, ...rest] = filter;
  if (first === undefined) return topic.length === 0;
  if (first === "#") return naive(rest, topic, one) || (topic.length > 0 && naive(filter, topic.slice(1), one));
  if (topic.length === 0) return false;
  return (first === one || first === topic[0]) && naive(rest, topic.slice(1), one);
}

const naiveTopic = (filter: string, topic: string): boolean =>
  !(topic.startsWith("$") && /^[+#]/.test(filter)) && naive(filter.split("/"), topic.split("/"), "+");
const naiveKey = (pattern: string, key: string): boolean => {
  const words = (text: string) => (text === "" ? [] : text.split("."));
  return naive(words(pattern), words(key), "*");
};

const word = fc.constantFrom("", "a", "b", "ä", "$SYS", "1");
const topic = fc.array(word, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.oneof(word, fc.constant("+")), { maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ["#"] : [])].join("/"))
  .filter((text) => text !== "");
const key = fc.array(fc.constantFrom("", "a", "b"), { maxLength: 5 }).map((words) => words.join("."));
const pattern = fc.array(fc.constantFrom("", "a", "b", "*", "#"), { maxLength: 5 }).map((words) => words.join("."));

const faultOf = (text: string) => {
  try {
    checkFilter(text);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(FnbusError);
    expect((error as FnbusError).code).toBe("topic_filter_invalid");
    return (error as FnbusError).details;
  }
};

describe("topics", () => {
  it("a table finds exactly what a naive matcher finds, each value once", () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 12 }), topic, (filters, text) => {
        const table = createTopicTable(filters.map((one) => [one, one] as const));
        const wanted = [...new Set(filters.filter((one) => naiveTopic(one, text)))];
        expect(table.match(text).toSorted()).toEqual(wanted.toSorted());
      }),
      { numRuns: 3000 },
    );
  });

  it("one filter matches as a naive matcher says", () => {
    fc.assert(
      fc.property(filter, topic, (one, text) => {
        expect(matchesTopic(one, text)).toBe(naiveTopic(one, text));
      }),
      { numRuns: 3000 },
    );
  });

  it("routing keys match as a naive matcher says, # anywhere", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 8 }), key, (patterns, text) => {
        const table = createTopicTable(
          patterns.map((one) => [one, one] as const),
          "amqp",
        );
        const wanted = [...new Set(patterns.filter((one) => naiveKey(one, text)))];
        expect(table.match(text).toSorted()).toEqual(wanted.toSorted());
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["sport/tennis/player1/#", "sport/tennis/player1", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
    ["sport/tennis/+", "sport/tennis/player1/ranking", false],
    ["sport/+", "sport", false],
    ["sport/+", "sport/", true],
    ["+/+", "/finance", true],
    ["/+", "/finance", true],
    ["+", "/finance", false],
    ["#", "$SYS/broker/clients", false],
    ["+/monitor/Clients", "$SYS/monitor/Clients", false],
    ["$SYS/#", "$SYS/monitor/Clients", true],
    ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
    ["Accounts", "ACCOUNTS", false],
  ])("MQTT 5, 4.7: %s and %s: %s", (one, text, matches) => {
    expect(matchesTopic(one, text)).toBe(matches);
  });

  it.each([
    ["", 1],
    ["sport/tennis#", 13],
    ["sport/tennis/#/ranking", 14],
    ["sport+", 6],
    ["a/+b/c", 3],
    ["a/b\0", 4],
    ["$share/group/a", 1],
    ["a/\ud800", 1],
  ])("%j is refused, with the fault's position", (text, position) => {
    expect(faultOf(text)).toMatchObject({ filter: text, position, wrong: expect.any(String) });
    expect(matchesTopic(text, text)).toBe(false);
  });

  it.each(["#", "+", "+/+/#", "/", "a//b", "$SYS/#", "a b/c", "ä/+"])("%j is allowed", (text) => {
    expect(faultOf(text)).toBeUndefined();
  });

  it("a list is split at commas, without blanks, empty parts and copies", () => {
    expect(parseFilters(" a/b, c/# ,,a/b,")).toEqual(["a/b", "c/#"]);
    expect(parseFilters(" , ")).toEqual([]);
  });

  it("a topic of very many levels is matched without recursion, and a pattern of many # without a blow-up", () => {
    const deep = Array.from({ length: 30_000 }, () => "a").join("/");
    expect(matchesTopic("#", deep)).toBe(true);
    expect(matchesTopic(`${"+/".repeat(30_000)}x`, deep)).toBe(false);
    const table = createTopicTable([["#.a.#.a.#.a.#.a.#.b", 1]], "amqp");
    expect(table.match(Array.from({ length: 2_000 }, () => "a").join("."))).toEqual([]);
  });
});
