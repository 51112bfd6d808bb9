// Lines that look like those of secret-lines.ts and hold nothing secret.

export const harmlessLines = String.raw`
const token = lexer.next();
"token": "identifier",
    token = self.tokenizer.decode(ids)
password = getpass.getpass("Password: ")
const password = process.env.DB_PASSWORD;
api_key = os.environ["OPENAI_API_KEY"]
apiKey: "your-api-key-here",
API_KEY=changeme
token: ${"$"}{{ secrets.GITHUB_TOKEN }}
    password: "{{ vault_db_password }}"
secret = "<your-secret>"
DATABASE_URL=postgres://user:password@localhost:5432/db
mongodb://root:example@mongo:27017/
amqp://guest:guest@localhost:5672
redis://:${"$"}{REDIS_PASSWORD}@redis:6379/0
https://user:***@example.com/path
AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
uses: actions/checkout@b4ffde65f46336ab88eb53be808477a3936bae11
image: nginx@sha256:4c0fdaa8b6341bfdeca5f18f7837462c80cff90527ee35ef185571e1c327beac
commit 3f786850e387550fdab836ed7e6dc881de23001b
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty.txt
"id": "550e8400-e29b-41d4-a716-446655440000",
requestId = "7d793037-a076-4e9c-8a5b-3c0f1d2e4b6a"
color: #3b82f6;
<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==">
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7vbqajDhA1Zq0u0kYyH1Dq7Zk0bq3h5mQx9T2gB3sX6n1pL4oV8c user@host
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx8k2m1Vd3Yw5q7Zt0oP4rB6nH9sL2cF8eG1uK3aT5v deploy
MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ
publicKey: "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6",
STRIPE_PUBLISHABLE_KEY=pk_live_51HxYzAbCdEfGhIjKlMnOpQr
"resetPassword": "Passwort zurücksetzen",
"password_too_short": "The password must have at least twelve characters",
<input type="password" name="password" autocomplete="current-password">
<label for="api-key">API key</label>
.token.keyword { color: var(--token-keyword-color); }
--vscode-editorToken-foreground: #d4d4d4;
import { getAccessTokenFromRefreshToken } from "./authentication/access-token-provider";
from oauthlib.oauth2.rfc6749.tokens import BearerToken
tokenUrl: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
token_type = "urn:ietf:params:oauth:token-type:access_token"
grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{20,}${"$"}/;
private_key_path = "/etc/ssl/private/server.key"
secretName: shop-tls-certificate
secretKeyRef: { name: database-credentials, key: password }
password_hash = "${"$"}2b${"$"}12${"$"}EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"
public_token = "<token>"
expect(token).toBe("test-token");
it("rejects a wrong password", async () => {
mockToken = "fake-token-for-tests"
const secret = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
OPENAI_API_KEY=sk-...
ANTHROPIC_API_KEY=sk-ant-your-key
pass "--password" to read it from standard input
if (token.kind === TokenKind.OpenBraceToken) return parseBlock();
case "secret": return SecretKind.Opaque;
var passwordField = document.getElementById("password-field");
credentials: "same-origin",
fetch(url, { credentials: "include", headers })
auth: { type: "oauth2", flow: "authorizationCode" },
Authorization: Bearer ${"$"}{token}
Authorization: Basic dXNlcjpwYXNzd29yZA==
curl -u username:password https://example.com/api
curl -H "Authorization: Bearer $TOKEN" https://api.example.com/v1/orders
machine example.com login user password secret
jdbc:postgresql://localhost/test?user=fred&password=secret&ssl=true
Server=localhost;Database=test;User Id=sa;Password=your_password;
key = "user_preferences_notification_settings"
cacheKey = "d41d8cd98f00b204e9800998ecf8427e"
etag: "33a64df551425fcc55e4d42a148795d9f25f89d4"
partitionKey: "tenant-0042#orders#2024-05-17",
foreign_key: customer_id
React.createElement("li", { key: "item-4f9a" })
const nextPageToken = "CAUQAA1x9Zk3mQ7vB2nL5pR8tY";
csrfTokenName: "XSRF-TOKEN",
token_endpoint_auth_method: "client_secret_basic",
SECRET_KEY = env("DJANGO_SECRET_KEY")
secret: Annotated[str, Depends(read_secret_from_vault)],
credentials = service_account.Credentials.from_service_account_file(path)
pwd = os.path.abspath(os.getcwd())
PWD=/home/builder/projects/shop
export PASSWORD_STORE_DIR="$HOME/.local/share/password-store"
uint32 access_token_expires_in_seconds = 4;
tokenAddress = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
h1:6Q5s4gG2rAoWn0m8KqZ1vY3bXcD7eFjLpTtUuNwHkzE=
resolved "https://registry.yarnpkg.com/lodash/-/lodash-4.17.21.tgz#679591c564c3bffaae8454cf0b3df370c3d6911c"
go.uber.org/zap v1.27.0 h1:aJMhYGrd5QSmlpLMr2MftRKl7t8J8PTZPA732ud/XR8=
PasswordAuthentication no
ALTER USER shop WITH PASSWORD :'password';
@Value("${"$"}{spring.datasource.password}") private String password;
System.getProperty("javax.net.ssl.trustStorePassword")
const [accessToken, setAccessToken] = useState<string | null>(null);
"scripts": { "token": "node scripts/print-token.mjs --audience internal" },
vocab = {"<|endoftext|>": 0, "<|fim_prefix|>": 1, "tokens": 49152}
assert tokens == ["def", "▁add", "(", "a", ",", "▁b", ")", ":"]
bearerFormat: JWT
while ((token = scanner.nextToken()) != null) {
tok := p.expect(token.LPAREN)
return NewToken(TokenNumber, lit, pos)
"tokenTypes": ["keyword", "string", "comment", "number"],
"keywords": ["password", "secret", "token", "credentials"],
def authenticate(self, username: str, password: str) -> bool:
public static final String PASSWORD_PARAMETER = "j_password";
private readonly passwordHasher: PasswordHasher,
password.length >= MINIMUM_PASSWORD_LENGTH
val password = intent.getStringExtra(EXTRA_PASSWORD)
String token = request.getHeader("X-Auth-Token");
token := r.Header.Get("Authorization")
$token = $request->bearerToken();
my $password = shift @ARGV;
PASSWORD=${"$"}(pass show shop/database)
TOKEN="$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)"
export API_KEY="$1"
setx API_KEY "%API_KEY%"
secret = Rails.application.credentials.dig(:stripe, :secret_key)
secretKey: configService.get<string>('JWT_SECRET_KEY'),
password: !vault |
password: ENC(8x9kQ2mZpL4vT7wR1nB5yA==)
db_password = data.aws_secretsmanager_secret_version.database.secret_string
secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/database-a1B2c3"
token = "op://Shop/github/token"
token: "REPLACE_WITH_YOUR_TOKEN",
api_key = "INSERT_API_KEY_HERE"
API_SECRET=<insert here>
"apiKey": "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX",
api-key: 00000000-0000-0000-0000-000000000000
password: "********"
PASSWORD=password123
password = "test1234"
password: admin
POSTGRES_PASSWORD: postgres
MYSQL_ROOT_PASSWORD=root
DATABASE_URL="postgresql://postgres:postgres@db:5432/postgres"
mysql://root:root@127.0.0.1/test
sqlite:///home/user/projects/shop/shop.sqlite3
https://github.com/microsoft/vscode/blob/1a5daa3a0231a0fbba4f14db7ec463cf99d7768e/src/vs/base/common/uri.ts
https://user@host.example.org:8443/path?token=TOKEN
ftp://anonymous:anonymous@ftp.example.org/pub
http://localhost:3000/callback?code=abc&state=xyz
ws://127.0.0.1:9229/0f2c936f-b1cd-4ac9-aab3-f63b0f33d55e
AKIAXXXXXXXXXXXXXXXX
AIzaSy-your-google-maps-key-goes-here
xoxb-your-bot-token
sk_test_your_stripe_key
key-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
glpat-xxxxxxxxxxxxxxxxxxxx
hf_your_token_here
.sk-folding-cube-animation-container-wrapper { width: 40px }
npm_config_registry=https://registry.example.org/
ghp_token_regex = r"ghp_[A-Za-z0-9]{36}"
dapi.registerDatabricksAdapterForWorkspace(config)
SHA256 (shop-1.2.3.tar.gz) = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
sha1: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
Digest: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
md5sum = "9e107d9d372bb6826bd81d3542a419d6"
checksum = "8da3b0f1e1a2c6e3d5d0f2a0fa7f5c1c"
"_id": ObjectId("507f1f77bcf86cd799439011"),
"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Guid("9A19103F-16F7-4668-BE54-9A1E7A4F7556")
<Compile Include="{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}" />
background-image: url(data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciPjwvc3ZnPg==);
src: url("fonts/inter-roman.var.woff2?v=3.19") format("woff2");
<svg><path d="M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2z"/></svg>
<script src="https://cdn.example.com/a.js" integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"></script>
const _0x = ["a1b2", "c3d4"], t = e.n(r), o = i(7294);
static const uint8_t kTable[] = {0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5};
const sequence = "ACGTTGCAAGCTTAGCGATCGATCGGCTAGCTAGCATCG";
let lorem = "Lorem ipsum dolor sit amet, consectetur adipiscing elit";
msgid "Forgot your password?"
<string name="error_invalid_token">The token is invalid or has expired.</string>
"auth/invalid-credential": "E-Mail-Adresse oder Passwort ist falsch.",
title: 'Secrets management with HashiCorp Vault',
# The access key must never be committed to version control.
//   token   the bearer token that the caller was given
import com.amazonaws.auth.AWSStaticCredentialsProvider;
use jsonwebtoken::{decode, DecodingKey, EncodingKey, Header};
#include <openssl/pem_password_callback.h>
require_once 'vendor/firebase/php-jwt/src/JWT.php';
from cryptography.hazmat.primitives.serialization import load_pem_private_key
-keystore release.keystore -alias upload-key
signingKey = rsa.GenerateKey(rand.Reader, 2048)
ssh-keygen -t ed25519 -C "deploy@example.com" -f ~/.ssh/id_ed25519
github.com ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEAq2A7hRGmdnm9tUDbO9IDSwBK6TbQa+PXYPCPy6rbTrTtw7PHkccKrpp0yVhp5HdEIcKr6pLlVDBfOLX9QUsyCOV0wzfjIJNlGEYsdlLJizHhbn2mUjvSAHQqZETYP81eFzLQNnPHt4EVVUh7VfDESU84KezmD5QlWpXLmvU31
pin-sha256="klO23nT2ehFDXCfx3eHTDRESMz3asj1muO+4aIdjiuY=";
"kid": "2011-04-29", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W"
VAPID_PUBLIC_KEY=BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U
recaptcha.siteKey: "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI",
client_id: 407408718192-a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6.apps.googleusercontent.com
tenant_id = "72f988bf-86f1-41af-91ab-2d7cd011db47"
NEXT_PUBLIC_SENTRY_DSN=https://1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d@o123456.ingest.sentry.io/1234567
auth0_domain: shop-production.eu.auth0.com
"Bearer realm=\"shop\", error=\"invalid_token\""
cancelToken: axios.CancelToken.source().token,
passwordReset: "/account/reset/:resetToken/confirm",
<PackageReference Include="Microsoft.IdentityModel.Tokens" Version="7.0.3" />
"tokenizer_class": "Qwen2TokenizerFast", "pad_token": "<|endoftext|>",
tokens_per_second: 42.7, max_tokens: 4096, stop_token_ids: [151643, 151645]
`;
