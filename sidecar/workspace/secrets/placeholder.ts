// Values that stand where a secret will be put, or say where it is kept. In: a value. Out: whether
// nobody's door opens by it.
import { randomnessOf } from "./randomness.ts";

/** Of code, a template or a pattern rather than of a value. */
const isCode =
  /\$\{\w|\$\{\{|\{\{.*\}\}|#\{.*\}|\$\(\w|<%.*%>|%\(\w+\)|(?<![A-Za-z0-9])%[sdv@](?![A-Za-z0-9])|\{\w*\}|^<.*>$|^\[.*\]$|^\$+[A-Za-z_]\w*$|^%\w+%$|^@?@\w+@@?$|^__\w+__$|\[[^\]]*\w-\w[^\]]*\]|\\[dwsbDWSxu]|\{\d+,?\d*\}|^\.[*+]|\.[*+](?:$|[?)\\$/])|^\w[\w.]*\(.*\)?$/;
/** What holds a secret only once somebody or something filled or decrypted it. */
const isReference =
  /^ENC[[(]|^vault:|^\{cipher\}|^arn:|^projects\/|^op:|^ssm:|^file:|^secret:|^env[.:]|^!(?:vault|secret|env|ref|sub|getatt|importvalue)|^(?:process|import\.meta|os|sys|config|settings|self|this|var|local|data|module)\./i;
const isMarked =
  /example|place_?holder|redact|censor|dummy|change[-_ ]?(?:me|this|it)|your[-_ ]?|replace|insert|x{5}|\*{3}|\.{3}|…|•|todo|fixme|not[-_]?(?:a[-_]?)?real|sample|fake|mock|foobar|lorem|deadbeef|cafebabe|qwert|asdfg|hunter2|(.)\1{5}/i;
/** Numbers that documents and tests use: UUIDs of zeros and ones, and the one of RFC 4122's time. */
const isKnownSample = /^(?:0{8}|1{8}|123e4567|12345678)-/i;

/** Words that make up no password worth keeping, as whole parts of a value. */
const emptyWords = new Set(
  `a abc access account admin administrator and api app auth aws basic bearer bar baz blah bot client
  code credential credentials creds db default demo dev development foo for github goes guest hash
  here hidden id in is it jwt key letmein local localhost login long master me mongo mongodb my mysql
  name new none null oauth of old online or pass passphrase passwd password path placeholder pg
  postgres postgresql private prod production public pw pwd rabbit rabbitmq random real redis root
  sa safe secret secrets secure server service session shared some staging string strong super system
  temp test tester testing text the this to token undefined unknown unset use user username value
  very x xoauth y z`.split(/\s+/),
);

export function isPlaceholder(value: string): boolean {
  return (
    isCode.test(value) ||
    isReference.test(value) ||
    isMarked.test(value) ||
    isKnownSample.test(value) ||
    new Set(value).size < 5
  );
}

/**
 * The same for what stands where nothing but a password can, as in an address: there a short one
 * counts, unless everybody knows it. `others` are the values beside it, as the user's name.
 */
export function isKnownPassword(value: string, others: readonly string[] = []): boolean {
  if (value.length < 4 || others.includes(value) || isPlaceholder(value)) return true;
  return isMadeOfWords(value) || isMadeOfWords(readLeet(value));
}

function isMadeOfWords(value: string): boolean {
  const words = value.match(/[A-Z]?[a-z]+|[A-Z]+/g) ?? [];
  return (
    randomnessOf(value).density < 0.3 && words.every((word) => emptyWords.has(word.toLowerCase()))
  );
}

const leet: Readonly<Record<string, string>> = { 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", 7: "t" };

/** `P@ssw0rd` as `Password`; digits behind the last letter stay. */
function readLeet(value: string): string {
  const replaced = value.replace(/@/g, "a").replace(/\$/g, "s");
  return replaced.replace(/[013457](?=.*[A-Za-z])/g, (digit) => leet[digit] ?? digit);
}
