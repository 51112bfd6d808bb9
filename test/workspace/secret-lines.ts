// Lines with a secret, as people write them. `<kind:count>` is drawn when the test runs, so that no
// secret stands in this file: hex, low (letters and digits in lower case), up (base32), word (letters
// and digits), url (base64url), base (base64), digit, pass (a password with signs), uuid.
export const secretLines = `
AWS_ACCESS_KEY_ID=AKIA<up:16>
aws_secret_access_key = <base:40>
	awsSecretKey: "<base:40>",
const client = new S3Client({ credentials: { accessKeyId: "ASIA<up:16>", secretAccessKey: "<base:40>" } });
maps.googleapis.com/maps/api/js?key=AIza<url:35>&callback=init
    "private_key_id": "<hex:40>", "client_secret": "GOCSPX-<url:28>",
AccountName=shop;AccountKey=<base:86>==;EndpointSuffix=core.windows.net
Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=<base:43>=
https://shop.blob.core.windows.net/c/a.png?sv=2022-11-02&se=2026-01-01&sr=b&sig=<base:42>%3D
git remote set-url origin https://ghp_<word:36>@github.com/shop/shop.git
      GITHUB_TOKEN: gho_<word:36>
token = 'github_pat_<word:22>_<word:59>'
export GITLAB_TOKEN=glpat-<url:20>
registration_token: glrt-<url:20>
slack_client = WebClient(token="xoxb-<digit:12>-<digit:12>-<word:24>")
curl -X POST -d '{"text":"x"}' https://hooks.slack.com/services/T<up:8>/B<up:10>/<word:24>
let app = "xapp-1-A<up:10>-<digit:13>-<hex:64>"
stripe.api_key = "sk_live_<word:24>"
Stripe::ApiKey = 'rk_live_<word:32>'
const endpointSecret = "whsec_<word:32>";
twilio = Client("AC<hex:32>", "<hex:32>")
TWILIO_AUTH_TOKEN=<hex:32>
sgMail.setApiKey("SG.<url:22>.<url:43>")
mailgun.api_key = 'key-<hex:32>'
//registry.npmjs.org/:_authToken=npm_<word:36>
password = pypi-AgEIcHlwaS5vcmc<url:90>
:rubygems_api_key: rubygems_<hex:48>
token = "cio<word:32>"
docker login -u shop -p dckr_pat_<url:27>
login(token="hf_<word:34>")
openai.api_key = "sk-<word:20>T3BlbkFJ<word:20>"
OPENAI_API_KEY="sk-proj-<url:120>"
anthropic = Anthropic(api_key="sk-ant-api03-<url:93>AA")
doctl auth init -t dop_v1_<hex:64>
X-Shopify-Access-Token: shpat_<hex:32>
square.accessToken = "sq0atp-<url:22>"
bot = Bot("<digit:10>:AA<url:33>")
client.login("M<word:23>.<word:6>.<url:38>"); const discordToken = "M<word:23>.<word:6>.<url:38>";
const notion = new Client({ auth: "ntn_<digit:11><word:35>" });
linear: lin_api_<word:40>
ATLASSIAN=ATATT3xFfGF0<url:170>=<hex:8>
DD_API_KEY=<hex:32>
newrelic.license_key: <hex:36>NRAL
NEW_RELIC_USER_KEY=NRAK-<up:27>
grafana_token = "glsa_<word:32>_<hex:8>"
VAULT_TOKEN=hvs.<url:90>
token = "<word:14>.atlasv1.<word:67>"
PULUMI_ACCESS_TOKEN=pul-<hex:40>
doppler run --token dp.pt.<word:43>
fly auth token fo1_<url:43>
HEROKU_API_KEY=<uuid>
netlify deploy --auth nfp_<word:40>
SENTRY_AUTH_TOKEN=sntrys_eyJpYXQiOjE2ODczMzY1NDMuNjk4NTksInVybCI6bnVsbH0_<word:43>
pscale_password: pscale_pw_<url:43>
spark.conf.set("token", "dapi<hex:32>")
  "apikey": "PMAK-<hex:24>-<hex:34>"
base = Airtable("pat<word:14>.<hex:64>")
headers["X-Figma-Token"] = "figd_<url:40>"
dbx = dropbox.Dropbox("sl.<url:130>")
supabase_key = "sbp_<hex:40>"
PPLX = "pplx-<word:48>"
Groq(api_key="gsk_<word:52>")
xai_key: xai-<word:80>
replicate.Client(api_token="r8_<word:37>")
mapboxgl.accessToken = "sk.eyJ1Ijoi<url:60>.<url:22>";
Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJ1aWQiOiI<url:40>.<url:43>
jwt := "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzaG9wIiwiZXhwIjox<url:60>.<url:342>"
DATABASE_URL=postgres://shop:<word:16>@db.internal:5432/shop
mongoose.connect("mongodb+srv://admin:<word:14>@cluster0.ab1cd.mongodb.net/shop");
redis.createClient({ url: "rediss://default:<word:32>@redis.internal:6380" })
broker_url = "amqp://shop:<word:12>@rabbit.internal:5672//"
"Server=tcp:shop.database.windows.net,1433;Database=shop;User ID=shop;Password=<pass:14>;Encrypt=True;"
jdbc:mysql://db.internal:3306/shop?user=shop&password=<word:14>
git clone https://deploy:<word:20>@git.internal/shop.git
Authorization: Basic c2hvcDo<base:24>
curl -u shop:<word:18> https://api.internal/orders
machine api.internal login shop password <word:16>
password = "<pass:16>"
const password = '<pass:20>';
DB_PASSWORD=<pass:18>
  password: <word:24>
    "clientSecret": "<url:40>",
client_secret: '<low:40>'
define('AUTH_KEY', '<pass:40>');
private static final String API_KEY = "<word:32>";
var apiKey = "<hex:32>"
let token: &str = "<word:40>";
:secret_key_base => "<hex:128>",
<add key="ApiSecret" value="<base:44>" />
<password><word:20></password>
services.AddAuth(o => o.ClientSecret = "<url:36>");
os.environ["SECRET_KEY"] = "<word:50>"
requests.get(url, headers={"X-Api-Key": "<word:32>"})
ENV API_TOKEN <word:40>
kubectl create secret generic s --from-literal=password=<word:22>
set -x ACCESS_TOKEN <word:36>
$env:AZURE_DEVOPS_PAT = "<low:52>"
encryption_key = b"<base:43>="
jwtSecret: process.env.JWT_SECRET || "<word:32>",
    .setPassword("<pass:15>")
#define WIFI_PASSWORD "<pass:16>"
access_token=<url:64>
AWS_SESSION_TOKEN=FwoGZXIvYXdzE<base:300>
aws configure set aws_secret_access_key <base:40>
static credentials = new BasicAWSCredentials("AKIA<up:16>", "<base:40>");
(setq openai-api-key "sk-proj-<url:74>T3BlbkFJ<url:74>")
  key: projects/shop ya29.<url:140>
FIREBASE_SERVER_KEY="AAAA<url:7>:APA91b<url:134>"
DefaultEndpointsProtocol=https;AccountName=a;AccountKey=<base:86>==
azure_client_secret = "<word:3>8Q~<url:34>"
cosmos = CosmosClient(url, credential="<base:86>==")
$Env:GH_TOKEN = 'ghs_<word:36>'
echo "ghu_<word:36>" | gh auth login --with-token
git clone https://oauth2:glpat-<url:20>@gitlab.com/shop/shop.git
CI_JOB_TOKEN: glcbt-64_<url:20>
agent: {token: glagent-<url:50>}
SLACK_BOT_TOKEN: xoxp-<digit:12>-<digit:12>-<digit:12>-<hex:32>
const legacy = "xoxs-<digit:11>-<digit:11>-<digit:11>-<hex:10>";
https://discord.com/api/webhooks/<digit:18>/<url:68>
WEBHOOK=https://shop.webhook.office.com/webhookb2/<uuid>@<uuid>/IncomingWebhook/<hex:32>/<uuid>
https://api.telegram.org/bot<digit:10>:AA<url:33>/sendMessage
"stripeKey" : "sk_test_51<word:97>"
SK<hex:32>:<word:32>
SENDINBLUE=xkeysib-<hex:64>-<word:16>
mailchimp(api_key: "<hex:32>-us14")
$mg = Mailgun::create('<hex:32>-<hex:8>-<hex:8>');
_auth="<base:40>"
npm config set //npm.pkg.github.com/:_authToken ghp_<word:36>
TWINE_PASSWORD: pypi-AgENdGVzdC5weXBpLm9yZw<url:100>
NUGET_API_KEY=oy2<low:43>
CARGO_REGISTRY_TOKEN=cio<word:32>
{"auths":{"https://index.docker.io/v1/":{"auth":"<base:56>"}}}
HUGGING_FACE_HUB_TOKEN = "hf_<word:37>"
client = OpenAI(api_key = 'sk-svcacct-<url:100>')
x-api-key: sk-ant-api03-<url:93>AA
OPENROUTER_API_KEY=sk-or-v1-<hex:64>
MISTRAL_API_KEY=<word:32>
COHERE_API_KEY = '<word:40>'
digitalocean_token = "doo_v1_<hex:64>"
SHOPIFY_API_SECRET=shpss_<hex:32>
sq0csp-<url:43>
SQUARE_ACCESS_TOKEN=EAAA<url:60>
page_access_token = "EAACEdEose0cBA<word:150>"
twitter_bearer = "AAAAAAAAAAAAAAAAAAAAA<word:80>"
NOTION_TOKEN="secret_<word:43>"
asana.Client.access_token('2/<digit:16>/<digit:16>:<hex:32>')
ZENDESK_API_TOKEN=<word:40>
OKTA_API_TOKEN: 00<url:40>
JIRA_API_TOKEN=ATATT3<url:180>
BITBUCKET_APP_PASSWORD=ATBB<word:32>
DATADOG_APP_KEY=<hex:40>
'licenseKey' => 'eu01xx<hex:30>NRAL'
GRAFANA_CLOUD=glc_eyJvIjoiMTIzNDU2IiwibiI6InNob3AiLCJrIjoi<word:60>
VAULT_SECRET_ID=<uuid>
vault.token: hvb.<url:150>
TFE_TOKEN=<word:14>.atlasv1.<word:67>
FLY_API_TOKEN="FlyV1 fm2_<base:200>"
heroku_api_key = "HRKU-<uuid>"
VERCEL_TOKEN=<word:24>
SENTRY_DSN=https://<hex:32>:<hex:32>@sentry.internal/12
sentry.authToken=sntryu_<hex:64>
DATABRICKS_TOKEN: "dapi<hex:32>-2"
postman: {"X-API-Key": "PMAK-<hex:24>-<hex:34>"}
CONTENTFUL_MANAGEMENT_TOKEN=CFPAT-<url:43>
CLOUDFLARE_API_TOKEN=<url:40>
cf.auth_key("<hex:37>")
SUPABASE_SERVICE_ROLE_KEY=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6<url:80>.<url:43>
ALGOLIA_ADMIN_KEY=<hex:32>
circle_token = "CCIPAT_<word:22>_<hex:40>"
buildkite: bkua_<hex:40>
TAILSCALE_AUTHKEY=tskey-auth-<word:17>-<word:32>
SONAR_TOKEN=squ_<hex:40>
CODECOV_TOKEN: <uuid>
nvidia = "nvapi-<url:64>"
resend = Resend("re_<word:8>_<word:24>")
LINEAR_WEBHOOK_SECRET=lin_wh_<word:40>
ldClient = init("sdk-<uuid>")
PLAID_SECRET=<hex:30>
finnhub.api_key = "<low:20>"
WireGuard PrivateKey = <base:43>=
mysqldump -u root --password=<word:18> shop > dump.sql
sshpass -p '<pass:14>' ssh deploy@10.0.0.7
spring.datasource.password=<word:20>
DB_PASSWORD: value: "<word:24>"
{"name": "API_TOKEN", "value": "<word:32>"}
CREATE USER shop WITH PASSWORD '<word:18>';
GRANT ALL ON shop.* TO 'shop'@'%' IDENTIFIED BY PASSWORD '<word:16>';
my $password = "<pass:16>";
password <- "<word:20>"
{password, "<word:20>"},
config :shop, Endpoint, secret_key_base: "<base:64>"
@Value("${"$"}{jwt.secret:<word:44>}") String secret;
connectionString="Data Source=db;Initial Catalog=shop;User ID=sa;Pwd=<word:14>"
clickhouse://default:<word:12>@ch.internal:9000/shop
ldap_bind_password: '<pass:18>'
const char* kClientSecret = "<url:24>";
val accessToken: String = "<word:48>"
static let apiSecret = "<hex:40>"
Const DbPassword As String = "<word:16>"
token := "<low:32>"
auth = ("shop", "<word:24>")
s3cmd --access_key=AKIA<up:16> --secret_key=<base:40>
"refresh_token": "1//0<url:60>",
Cookie: session=abc; Authorization: token <hex:40>
`;

/** Lines that look like those and hold nothing secret. */
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
