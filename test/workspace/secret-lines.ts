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
