// One line of `pith batch` -> a request with its defaults, or what is wrong with it. A field that
// the contract does not name is an error, because a misspelt one would measure something else.
import * as z from "zod";
import { FormatError, UnsupportedError } from "../errors.ts";

const text = z.string();
const count = z.int().min(0);

const schema = z.strictObject({
  id: z.union([z.string(), z.number()], "a string or a number is wanted"),
  op: z.enum(["complete", "score", "tokenize", "select"]),
  path: text.optional(),
  prefix: text.default(""),
  suffix: text.optional(),
  context: z.array(z.strictObject({ path: text.optional(), text })).default([]),
  demonstrations: z.array(z.strictObject({ text })).default([]),
  memory: z.enum(["none", "raw", "embedded", "kept"]).default("none"),
  ratio: z.number().min(1).optional(),
  contextBudget: count.optional(),
  select: count.optional(),
  layout: z.enum(["former", "latter", "concatenated"]).optional(),
  conditional: z.boolean().optional(),
  alignment: z.enum(["off", "token", "exact"]).default("off"),
  maxTokens: count.default(32),
  stop: z.array(text.min(1)).default([]),
  temperature: z.number().min(0).default(0),
  topP: z.number().min(0).max(1).default(1),
  seed: z.int().default(1),
  target: text.optional(),
});

export type BatchLine = z.infer<typeof schema>;
export type RequestId = string | number;

/** The id of a line that has one, so that even a wrong request is answered by its id. */
export function readId({ id }: Record<string, unknown>): RequestId | null {
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** @throws FormatError when `json` is no JSON object. */
export function parseObject(json: string): Record<string, unknown> {
  const value = parseJson(json);
  if (!isObject(value)) throw new FormatError("request: not a JSON object");
  return value;
}

/**
 * @throws FormatError for a field that is missing, unknown, or of the wrong type; UnsupportedError
 * for fields that do not go together.
 */
export function readRequest(value: Record<string, unknown>): BatchLine {
  const result = schema.safeParse(value);
  if (!result.success) throw new FormatError(`request: ${describeIssue(result.error)}`);
  const request = result.data;
  if (request.op === "score" && request.target === undefined)
    throw new FormatError("request: target: missing, op score needs it");
  if (request.op === "score" && request.alignment !== "off")
    throw new UnsupportedError(
      "request: alignment is for op complete, a score has no tail to choose",
    );
  if (request.conditional && (request.memory === "raw" || request.memory === "kept"))
    throw new UnsupportedError(
      `request: conditional is for memory embedded, ${request.memory} memories know no question`,
    );
  if (request.memory === "raw" && request.layout !== undefined)
    throw new UnsupportedError(
      `request: layout ${request.layout} is for memory kept and embedded, raw text is all text`,
    );
  return request;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`request: not JSON: ${why}`, { cause });
  }
}

function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "not valid";
  const field = issue.path.join(".");
  return field === "" ? issue.message : `${field}: ${issue.message}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
