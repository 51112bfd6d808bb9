// Tokens that show whose they are: by the prefix that a service gives them. In: a text. Out: where
// they stand. The shapes are facts of the services' own documents and of the public lists of secret
// scanners (gitleaks, GitHub's secret scanning); lengths are lower bounds, since services change them.
import { type Found, foundAt } from "./found.ts";
import { isPlaceholder } from "./placeholder.ts";
import { randomnessOf } from "./randomness.ts";

/** One a line: the service, then the prefix, then what follows it (an expression, without spaces). */
const shapes = `
1Password        A3-              [A-Z0-9]{6}-[A-Z0-9]{6,11}-[A-Z0-9-]{10,}
1Password        ops_             eyJ[A-Za-z0-9+/]{40,}
Adafruit         aio_             [A-Za-z0-9]{24,}
Adobe            p8e-             [A-Za-z0-9]{32}
age              AGE-SECRET-KEY-  [A-Z0-9-]{40,}
Airtable         pat              [A-Za-z0-9]{14}\\.[a-f0-9]{64}
Alibaba          LTAI             [A-Za-z0-9]{16,26}
Anthropic        sk-ant-          [\\w-]{20,}
Artifactory      AKCp             [A-Za-z0-9]{60,}
Artifactory      cmVmdGtu         [A-Za-z0-9]{50,}
Asana            2/               \\d{10,}/\\d{10,}:[a-f0-9]{32}
Atlassian        ATATT3           [\\w=+/-]{60,}
Atlassian        ATCTT3           [\\w=+/-]{60,}
Atlassian        ATBB             [A-Za-z0-9]{28,}
Authress         sc_              [a-z0-9]{5,30}\\.[a-z0-9]{4,6}\\.(?:acc)?[_-]?[\\w=-]{20,}
AWS              AKIA             [A-Z0-9]{16}
AWS              ASIA             [A-Z0-9]{16}
AWS              ABIA             [A-Z0-9]{16}
AWS              ACCA             [A-Z0-9]{16}
AWS              A3T              [A-Z0-9]{17}
AWS-Bedrock      ABSK             [A-Za-z0-9+/]{60,}
Beamer           b_               [a-z0-9=_-]{44}
Brevo            xkeysib-         [a-f0-9]{40,}-[A-Za-z0-9]{10,}
Brevo            xsmtpsib-        [a-f0-9]{40,}-[A-Za-z0-9]{10,}
Buildkite        bkua_            [a-f0-9]{30,}
Buildkite        bkpat_           \\w{20,}
Canva            cnvca            [\\w-]{40,}
Cerebras         csk-             [a-z0-9]{40,}
Checkout         sk_sbx_          [a-z0-9*#$=-]{20,}
CircleCI         CCIPAT_          \\w{30,}
CircleCI         CCIPRJ_          \\w{30,}
Clerk            sk_live_         \\w{20,}
ClickHouse       4b1d             [A-Za-z0-9]{38}
Clojars          CLOJARS_         [A-Za-z0-9]{60}
CloudflareCA     v1.0-            [a-f0-9]{24}-[a-f0-9]{100,}
Cloudflare       cfut_            [\\w-]{30,}
Cloudflare       cfat_            [\\w-]{30,}
Contentful       CFPAT-           [\\w-]{40,}
Cratesio         cio              [A-Za-z0-9]{32}
Databricks       dapi             [a-f0-9]{32}
Databricks       dose             [a-f0-9]{32}
Datadog          ddp_             [A-Za-z0-9]{30,}
Deno             ddo_             [A-Za-z0-9]{30,}
Deno             ddw_             [A-Za-z0-9]{30,}
DigitalOcean     dop_v1_          [a-f0-9]{64}
DigitalOcean     doo_v1_          [a-f0-9]{64}
DigitalOcean     dor_v1_          [a-f0-9]{64}
Docker           dckr_pat_        [\\w-]{20,}
Docker           dckr_oat_        [\\w-]{20,}
Doppler          dp.pt.           [A-Za-z0-9]{40,}
Doppler          dp.st.           (?:[a-z0-9_-]+\\.)?[A-Za-z0-9]{40,}
Doppler          dp.sa.           [A-Za-z0-9]{40,}
Doppler          dp.ct.           [A-Za-z0-9]{40,}
Doppler          dp.scim.         [A-Za-z0-9]{40,}
Dropbox          sl.              [\\w-]{100,}
Duffel           duffel_          (?:test|live)_[\\w-]{40,}
Dynatrace        dt0              [a-z]\\d{2}\\.[A-Z0-9]{24}\\.[A-Z0-9]{60,}
EasyPost         EZAK             [A-Za-z0-9]{54}
EasyPost         EZTK             [A-Za-z0-9]{54}
Elastic          essu_            [\\w=+/-]{40,}
Facebook         EAA              [A-Za-z0-9]{80,}
Figma            figd_            [\\w-]{36,}
Figma            figo_            [\\w-]{36,}
Firebase         AAAA             [\\w-]{7}:APA91[\\w-]{100,}
Flutterwave      FLWSECK          (?:_TEST|_LIVE)?-[a-zA-Z0-9-]{12,}
Fly              fo1_             [\\w-]{40,}
Fly              fm1a_            [\\w=+/-]{60,}
Fly              fm1r_            [\\w=+/-]{60,}
Fly              fm2_             [\\w=+/-]{60,}
Frameio          fio-u-           [\\w=-]{60,}
GCP              AIza             [\\w-]{35}
GCP              GOCSPX-          [\\w-]{24,}
GCP              ya29.            [\\w-]{30,}
GCP              1//              0[\\w-]{40,}
GitHub           ghp_             [A-Za-z0-9]{30,}
GitHub           gho_             [A-Za-z0-9]{30,}
GitHub           ghu_             [A-Za-z0-9]{30,}
GitHub           ghs_             [A-Za-z0-9]{30,}
GitHub           ghr_             [A-Za-z0-9]{30,}
GitHub           github_pat_      \\w{50,}
GitLab           glpat-           [\\w.-]{20,}
GitLab           gldt-            [\\w.-]{20,}
GitLab           glptt-           [\\w.-]{20,}
GitLab           glrt-            [\\w.-]{20,}
GitLab           glrtr-           [\\w.-]{20,}
GitLab           glcbt-           [\\w.-]{20,}
GitLab           glft-            [\\w.-]{20,}
GitLab           glffct-          [\\w.-]{20,}
GitLab           glimt-           [\\w.-]{20,}
GitLab           glagent-         [\\w.-]{20,}
GitLab           gloas-           [\\w.-]{20,}
GitLab           glsoat-          [\\w.-]{20,}
GitLab           glwt-            [\\w.-]{20,}
GitLab           GR1348941        [\\w-]{20,}
Grafana          glsa_            [A-Za-z0-9]{32}_[A-Fa-f0-9]{8}
Grafana          glc_             [A-Za-z0-9+/]{32,}={0,3}
Groq             gsk_             [A-Za-z0-9]{40,}
Harness          pat.             [\\w-]{22}\\.[a-f0-9]{24}\\.[A-Za-z0-9]{20}
Harness          sat.             [\\w-]{22}\\.[a-f0-9]{24}\\.[A-Za-z0-9]{20}
Heroku           HRKU-            [\\w-]{36,}
HubSpot          pat-na1-         [a-f0-9-]{36}
HubSpot          pat-na2-         [a-f0-9-]{36}
HubSpot          pat-eu1-         [a-f0-9-]{36}
HuggingFace      hf_              [A-Za-z0-9]{30,}
HuggingFace      api_org_         [A-Za-z0-9]{30,}
Infracost        ico-             [A-Za-z0-9]{32}
Intra42          s-s4t2           (?:ud|af)-[a-f0-9]{64}
Langfuse         sk-lf-           [a-f0-9-]{36}
LangSmith        lsv2_            (?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}
LaunchDarkly     sdk-             [a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}
LaunchDarkly     api-             [a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}
Linear           lin_api_         [A-Za-z0-9]{32,}
Linear           lin_oauth_       [A-Za-z0-9]{32,}
Lob              live_            [a-f0-9]{35}
Lob              test_            [a-f0-9]{35}
Mailgun          key-             [a-f0-9]{32}
Mailgun          pubkey-          [a-f0-9]{32}
Mapbox           sk.              eyJ[\\w-]{40,}\\.[\\w-]{20,}
Mercadopago      APP_USR-         \\d{10,}-\\d{6}-[a-f0-9]{32}-\\d+
Mergify          mergify_         [A-Za-z0-9_]{30,}
MessageBird      AccessKey        \\s[A-Za-z0-9]{25}
Neon             napi_            [a-z0-9]{40,}
Netlify          nfp_             [A-Za-z0-9_-]{36,}
NewRelic         NRAK-            [A-Z0-9]{27}
NewRelic         NRII-            [\\w-]{32}
NewRelic         NRIQ-            [\\w-]{32}
NewRelic         NRAA-            [a-f0-9]{27}
NewRelic         NRJS-            [a-f0-9]{19}
Notion           ntn_             [A-Za-z0-9]{40,}
Notion           secret_          [A-Za-z0-9]{43}
npm              npm_             [A-Za-z0-9]{36}
NuGet            oy2              [a-z0-9]{43}
NVIDIA           nvapi-           [\\w-]{40,}
Octopus          API-             [A-Z0-9]{25,}
OpenAI           sk-              (?:proj-|svcacct-|admin-|None-)?[\\w-]{32,}
OpenRouter       sk-or-           (?:v1-)?[a-f0-9]{40,}
OpenShift        sha256~          [\\w-]{43}
PagerDuty        pdus+            _[A-Za-z0-9]{20,}
Perplexity       pplx-            [A-Za-z0-9]{40,}
Pinecone         pcsk_            \\w{40,}
PlanetScale      pscale_          (?:tkn|oauth|pw)_[\\w=.-]{30,}
Plaid            access-          (?:sandbox|development|production)-[a-f0-9-]{36}
Polar            polar_           (?:oat|pat|at_o)_\\w{30,}
PostHog          phx_             [A-Za-z0-9_]{40,}
Postman          PMAK-            [a-f0-9]{24}-[a-f0-9]{34}
Prefect          pnu_             [A-Za-z0-9]{36}
Prefect          pnb_             [A-Za-z0-9]{36}
Pulumi           pul-             [a-f0-9]{40}
PyPI             pypi-            [\\w-]{50,}
ReadMe           rdme_            [a-z0-9]{70}
Rechargepay      sk_test_         \\w{20,}
Replicate        r8_              [A-Za-z0-9]{37}
Render           rnd_             [A-Za-z0-9]{28,}
Resend           re_              [A-Za-z0-9]{8}_[A-Za-z0-9]{20,}
RubyGems         rubygems_        [a-f0-9]{48}
Salesforce       00D              [A-Za-z0-9]{12,15}![\\w.]{80,}
Samsara          samsara_api_     \\w{20,}
Scaleway         SCW              [A-Z0-9]{17}
Scalingo         tk-us-           [\\w-]{48}
SendGrid         SG.              [\\w-]{16,}\\.[\\w-]{32,}
Sentry           sntrys_          eyJ[\\w=+/-]{60,}
Sentry           sntryu_          [a-f0-9]{64}
SettleMint       sm_              (?:pat|aat|sat)_\\w{16,}
Shippo           shippo_          (?:live|test)_[a-f0-9]{40}
Shopify          shpat_           [A-Fa-f0-9]{32}
Shopify          shpca_           [A-Fa-f0-9]{32}
Shopify          shppa_           [A-Fa-f0-9]{32}
Shopify          shpss_           [A-Fa-f0-9]{32}
Shopify          shptka_          [A-Fa-f0-9]{32}
SkyScanner       prtl             [a-z0-9]{30,}
Slack            xoxb-            [\\w-]{15,}
Slack            xoxp-            [\\w-]{15,}
Slack            xoxa-            [\\w-]{15,}
Slack            xoxr-            [\\w-]{15,}
Slack            xoxs-            [\\w-]{15,}
Slack            xoxo-            [\\w-]{15,}
Slack            xoxc-            [\\w-]{15,}
Slack            xoxd-            [\\w%-]{15,}
Slack            xoxe             (?:\\.xox[bp])?-[\\w-]{15,}
Slack            xapp-            \\d-[A-Z0-9]+-\\d+-[a-z0-9]{20,}
Slack            xwfp-            [\\w-]{20,}
Sonar            sqp_             [a-f0-9]{40}
Sonar            squ_             [a-f0-9]{40}
Sonar            sqa_             [a-f0-9]{40}
Sourcegraph      sgp_             [a-fA-F0-9_]{40,}
Sourcegraph      slk_             [a-f0-9]{64}
Square           sq0atp-          [\\w-]{22,}
Square           sq0csp-          [\\w-]{40,}
Square           EAAA             [\\w-]{60}
StabilityOrXI    sk_              [a-f0-9]{48}
Stripe           sk_              (?:live|test|prod)_\\w{10,}
Stripe           rk_              (?:live|test|prod)_\\w{10,}
Stripe           whsec_           [A-Za-z0-9+/=]{24,}
Supabase         sbp_             [a-f0-9v_]{40,}
Supabase         sb_secret_       [\\w-]{20,}
Tailscale        tskey-           (?:api-|auth-|client-|scim-|webhook-)?[A-Za-z0-9]{10,}(?:-[A-Za-z0-9]{16,})?
Tavily           tvly-            (?:dev-|prod-)?[A-Za-z0-9]{20,}
TogetherAI       tgp_v1_          [\\w-]{40,}
Trello           ATTA             [a-f0-9]{50,}
Twilio           SK               [a-f0-9]{32}
Twilio           AC               [a-f0-9]{32}
Twitter          AAAAAAAAAAAAAAAAAAAAA [A-Za-z0-9%]{60,}
Typeform         tfp_             [\\w.=-]{40,}
Unkey            unkey_           \\w{20,}
Vault            hvs.             [\\w-]{24,}
Vault            hvb.             [\\w-]{60,}
Vault            hvr.             [\\w-]{60,}
Vault            s.               [A-Za-z0-9]{24}(?![\\w(])
Vercel           vcp_             [A-Za-z0-9]{24,}
Vercel           vercel_blob_rw_  \\w{30,}
VolcEngine       AKLT             [A-Za-z0-9=_-]{40,}
WakaTime         waka_            [a-f0-9-]{36}
WeightsBiases    wandb_v1_        \\w{40,}
xAI              xai-             [A-Za-z0-9]{60,}
Yandex           t1.              [A-Za-z0-9_-]+={0,2}\\.[A-Za-z0-9_-]{86}
Yandex           AQVN             [\\w-]{35,38}
Yandex           y0_              [\\w-]{50,}
Zuplo            zpka_            [a-z0-9_]{30,}
`;

/**
 * What has its mark in its middle or at its end: of Terraform, Telegram, RapidAPI, MaxMind, Mailchimp
 * and Mailgun. The last are of services that are not named here: a short name, a word that says what
 * it is, and drawn text; those called public are for everyone to see.
 */
const marked = new RegExp(
  [
    String.raw`\.atlasv1\.(?<=\b[A-Za-z0-9]{14}\.atlasv1\.)[\w=-]{60,400}`,
    String.raw`:AA(?<=\b\d{8,10}:AA)[\w-]{32,33}`,
    String.raw`msh(?<=\b[a-f0-9]{10}msh)[a-f0-9]{15}p1[a-f0-9]{5}jsn[a-f0-9]{12}`,
    String.raw`_mmk(?<=\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)\b`,
    String.raw`-(?:us\d{1,2}|[a-f0-9]{8}-[a-f0-9]{8})\b(?<=\b[a-f0-9]{32}-(?:us\d{1,2}|.{17}))`,
    String.raw`(?:live|prod|test|secret|sk|pat|token|key|apikey|api)[_-](?<=\b(?!pk[_-]|pub)[a-z][a-z0-9]{1,11}[_-][a-z]{2,6}[_-])[A-Za-z0-9]{20,400}`,
  ].join("|"),
  "g",
);
const longestMark = 40;
/** Tokens are shorter; without a limit a hostile line would be read once for each of its words. */
const longestRest = 400;

const rows = shapes.trim().split("\n").map(readRow);
const prefixes = new RegExp(rows.map(({ prefix }) => prefix).join("|"), "g");
const anyShape = new RegExp(rows.map(({ prefix, rest }) => prefix + rest).join("|"), "y");

/** Three parts of base64url, the first two of them JSON objects (RFC 7519). */
const webTokens = /(?<![\w-])eyJ[\w-]{10,4000}\.eyJ[\w-]{8,8000}\.[\w-]{16,}/g;

/** Addresses to which everyone may post who knows them. */
const webhooks = new RegExp(
  [
    String.raw`hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/[\w/]{20,100}`,
    String.raw`discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/\d{15,}\/[\w-]{30,100}`,
    String.raw`webhook\.office\.com\/webhookb2\/[\w@/-]{60,400}`,
    String.raw`chat\.googleapis\.com\/v1\/spaces\/[\w-]{1,40}\/messages\?key=[\w&=%-]{30,400}`,
    String.raw`hooks\.zapier\.com\/hooks\/catch\/\d+\/\w{6,}`,
    String.raw`api\.telegram\.org\/bot\d{6,}:[\w-]{30,100}`,
    String.raw`logic\.azure\.com(?::443)?\/workflows\/[^\s"'\x60]{20,400}sig=[\w%-]{20,}`,
    String.raw`events\.pagerduty\.com\/integration\/[a-f0-9]{32}`,
  ].join("|"),
  "g",
);

export function* findServiceTokens(text: string): Generator<Found> {
  yield* findPrefixed(text);
  for (const token of text.matchAll(marked)) {
    const { start, end } = foundAt(token);
    const before = /[\w.:-]*$/.exec(text.slice(Math.max(0, start - longestMark), start));
    if (isDrawnToken(before + text.slice(start, end))) yield { start, end };
  }
  for (const token of text.matchAll(webTokens)) if (isWebToken(token[0])) yield foundAt(token);
  for (const hook of text.matchAll(webhooks))
    if (isDrawnToken(hook[0].slice(-24))) yield foundAt(hook);
}

function* findPrefixed(text: string): Generator<Found> {
  let done = 0;
  for (const { index } of text.matchAll(prefixes)) {
    if (index < done || !isBeginning(text, index)) continue;
    anyShape.lastIndex = index;
    const token = anyShape.exec(text);
    if (token === null) continue;
    done = index + token[0].length;
    if (isDrawnToken(token[0])) yield foundAt(token);
  }
}

function readRow(line: string): { readonly prefix: string; readonly rest: string } {
  const [, prefix = "", rest = ""] = line.trim().split(/\s+/);
  const bounded = rest.replaceAll(",}", `,${longestRest}}`);
  return { prefix: prefix.replace(/[.+]/g, "\\$&"), rest: bounded };
}

/** Of a word, which may follow an escape of a string or of an address. */
function isBeginning(text: string, at: number): boolean {
  return /(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-F]{2})$/.test(text.slice(Math.max(0, at - 3), at));
}

/** The prefix says enough of what it is; what is left out is what people wrote there. */
export function isDrawnToken(token: string): boolean {
  const drawn = token.replace(/^A+/, "").slice(-longestMark);
  if (isPlaceholder(drawn) || isPlaceholder(token.slice(0, longestMark).replace(/A{6,}/g, "A")))
    return false;
  const digits = drawn.match(/\d/g) ?? [];
  const isNumber = digits.length > drawn.length / 2 && !/1234|0000/.test(drawn);
  return isNumber || randomnessOf(drawn.slice(-32)).strangeness >= 0.25;
}

function isWebToken(token: string): boolean {
  try {
    const header = Buffer.from(token.split(".", 1)[0] ?? "", "base64url").toString();
    return typeof JSON.parse(header) === "object";
  } catch {
    return false;
  }
}
