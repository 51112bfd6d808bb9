// Names of what has to stay secret, in any spelling: `dbPassword`, `API_KEY`, `x-auth-token`. In: an
// identifier. Out: whether its value is a secret, if it looks like one.

const secretWords = new Set(
  `password passwords passwd passphrase passcode pass pwd psw pswd secret secrets token tokens
  credential credentials creds cred bearer auth authorization jwt passwort kennwort senha
  contrasena mdp motdepasse mnemonic otpauth totp`.split(/\s+/),
);
/** Written without a border: `dbpassword`, `apikey`, `accesstoken`. */
const secretEndings =
  /(?:password|passwd|passphrase|pwd|secret|token|credentials?|(?:api|access|auth|private|secret|account|shared|master|encryption|signing|app|admin|license|client|consumer|service|storage|session|webhook)key|userpass|dbpass|rootpass)s?\d*$/;
/** What makes a secret of a key. */
const keyWords = new Set(
  `access account admin algolia api apikey app application auth azure client cloud consumer cookie crypt
  crypto customer data datadog db decryption deploy deployment dev developer encrypt encrypted
  encryption ext gpg hmac host integration jwt license live maps master merchant mgmt oauth
  openai pgp priv private prod production push read rest root rsa sas secret secrets security sender
  sendgrid server service session shared sign signature signing ssh stage staging storage stripe
  subscription symmetric test trello twilio user vault vendor webhook wireguard write`.split(/\s+/),
);
/** A name with one of these behind its secret word tells of the secret; it does not hold it. */
const tellingWords = new Set(
  `address age algorithm alg arn arns at audience based checksum class color colour contract count css date digest
  endpoint etag expires expiration expiry field file filename fingerprint folder format hash hint icon id ids identifier index
  input issuer kid kind label length limit link message mint name names param path pattern placeholder
  policy position program pubkey ref regex regexp rule selector size span style symbol testid text
  thumbprint time timeout title ttl type types uri url version`.split(/\s+/),
);
/** And with one of these before it, it is no secret at all: cursors of lists, keys for everyone. */
const openWords = new Set(
  "continuation cursor design fungible lexer next nft page pagination pub public publishable resume scroll site sync syntax".split(
    " ",
  ),
);

export type Sensitivity = "secret" | "key" | "none";

/** "key": a plain key, which holds a secret only if it looks very much like one. */
export function sensitivityOf(name: string): Sensitivity {
  const words = wordsOf(name);
  if (words.some((word) => openWords.has(word))) return "none";
  const last = words.findLastIndex((word, at) => isSecretWord(word, words[at - 1]));
  if (last < 0 && /(?:^|_)PAT(?:_|$)/.test(name)) return "secret"; // In lower case it is a pattern.
  if (last < 0) return /^keys?$/.test(words.at(-1) ?? "") ? "key" : "none";
  const behind = words.slice(last + 1);
  // Vault's AppRole calls its password so.
  if (words[last] === "secret" && behind.length === 1 && behind[0] === "id") return "secret";
  return behind.some((word) => tellingWords.has(word)) ? "none" : "secret";
}

function isSecretWord(word: string, before: string | undefined): boolean {
  if (secretWords.has(word) || secretEndings.test(word)) return true;
  return /^keys?\d*$/.test(word) && before !== undefined && keyWords.has(before);
}

function wordsOf(name: string): string[] {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? [];
  return words.map((word) => word.toLowerCase());
}
