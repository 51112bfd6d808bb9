// A self-signed certificate for 127.0.0.1, made when a test runs: the smallest X.509 (RFC 5280) that
// a TLS server takes, so that no key lies in the repository and nothing ever expires.
import { generateKeyPairSync, sign } from "node:crypto";

/** Both as PEM. */
export function selfSignedCertificate(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectId([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])); // ECDSA, SHA-256
  const commonName = sequence(objectId([0x55, 0x04, 0x03]), text(0x0c, "127.0.0.1"));
  const name = sequence(element(0x31, commonName));
  const year = new Date().getUTCFullYear();
  const validity = sequence(
    text(0x18, `${year - 1}0101000000Z`),
    text(0x18, `${year + 1}1231235959Z`),
  );
  const certificate = sequence(
    element(0x02, Buffer.from([1])), // serial number; version 1, the default, needs no extensions
    ...[algorithm, name, validity, name],
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("sha256", certificate, privateKey);
  const bits = element(0x03, Buffer.concat([Buffer.from([0]), signature]));
  const signed = sequence(certificate, algorithm, bits);
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${signed.toString("base64")}\n-----END CERTIFICATE-----\n`,
  };
}

/** DER: a tag, a length in one byte or in 0x82 and two, the content. */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function sequence(...elements: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(elements));
}

function objectId(bytes: number[]): Buffer {
  return element(0x06, Buffer.from(bytes));
}

function text(tag: number, value: string): Buffer {
  return element(tag, Buffer.from(value, "ascii"));
}
