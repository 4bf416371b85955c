// What all plays share: a browser, officers with passkeys, and eyes for faults.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.env.TAMTHE_BROWSER + "/package.json");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const screens = process.env.TAMTHE_SCREENS;

// A desk's screen, and a phone.
export const sizes = { desk: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } };

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value);
const say = (x) => process.stdout.write(JSON.stringify(x) + "\n");

export const fault = (text) => say({ fault: text });
export const note = (text) => say({ note: text });
export const check = (is, text) => is || fault(text);

// hand asks for something to be done beside the browser.
export async function hand(...what) {
  say({ do: what.map(String) });
  const a = await hear();
  if (a.error) throw new Error(`${what.join(" ")}: ${a.error}`);
  return a.value;
}

// switches are Chromium's; where there is a film, that is what its camera sees.
const switches = ({ camera, resolver }) => [
  "--disable-dev-shm-usage", "--disable-gpu",
  ...(resolver ? [`--host-resolver-rules=${resolver}`] : []),
  ...(camera ? ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${camera}`] : []),
];

// play runs a play from its beginning to its end, whatever happens.
export async function play(scene) {
  const config = await hear();
  const browser = await chromium.launch({ executablePath: config.chromium, args: switches(config) });
  try {
    await scene(config, browser);
    say({ end: true });
  } catch (e) {
    let n = 0;
    for (const c of browser.contexts()) for (const p of c.pages()) await photograph(p, `failed-${++n}`).catch(() => {});
    fault(e.stack);
  } finally {
    await browser.close();
    process.exit(0);
  }
}

// visitor opens a window of its own cookies, in which whatever a page does wrong is a fault;
// so is a request to any other origin than its own and the others that are named.
export async function visitor(browser, origin, { lang = "vi", name = "visitor", media, others = [] } = {}) {
  const context = await browser.newContext({ locale: lang === "vi" ? "vi-VN" : "en-GB", viewport: sizes.desk, colorScheme: media });
  context.setDefaultTimeout(60_000);
  const forgiven = [];
  await context.exposeBinding("tamtheFault", (_, text) => fault(`${name}: ${text}`));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => window.tamtheFault(`against the page's own policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  context.on("console", (m) => {
    if (m.type() === "error" && !forgiven.some((f) => f.test(m.text()))) fault(`${name}: ${m.page()?.url()}: ${m.text()}`);
  });
  context.on("weberror", (e) => fault(`${name}: ${e.error().stack}`));
  context.on("request", (r) => {
    const u = new URL(r.url());
    if (!["data:", "blob:"].includes(u.protocol) && u.origin !== origin && !others.includes(u.origin)) fault(`${name}: a request to ${u.origin}`);
  });
  const page = await context.newPage();
  return { context, page, name, lang, forgive: (f) => forgiven.push(f) };
}

// passkey gives a page an authenticator that is always willing, with the PRF extension.
export async function passkey(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return {
    credentials: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    verifies: (is) => session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: is }),
  };
}

// photograph leaves a picture of the whole page.
export async function photograph(page, name) {
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: `${screens}/${name}.png`, fullPage: true, animations: "disabled" });
}

// look looks at a page at both sizes: for axe, for what is cut off, for what is in the wrong
// language; and leaves a picture of each. Of a page that goes on by itself it takes the picture.
export async function look(who, name, { moving = false } = {}) {
  const { page, lang } = who;
  if (moving) return photograph(page, name).catch(() => {});
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    for (const f of await axeFaults(page)) fault(`${name} (${size}): ${f}`);
    for (const f of await page.evaluate(cutOff)) fault(`${name} (${size}): ${f}`);
    await photograph(page, `${name}-${size}`);
  }
  await page.setViewportSize(sizes.desk);
  const spoken = await page.evaluate(() => document.documentElement.lang);
  check(spoken === lang, `${name}: the page says that it is in ${spoken}, not ${lang}`);
  if (lang === "vi") for (const f of await page.evaluate(foreign)) fault(`${name}: not in Vietnamese: ${f}`);
}

// axeFaults are the serious and critical faults that axe-core finds. Run through the
// debugger it is not bound by the page's policy.
async function axeFaults(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe + ";0");
  const { violations, passes } = await page.evaluate(() =>
    window.axe.run(document, {
      preload: false, resultTypes: ["violations"],
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  if (passes.length === 0) throw new Error("axe looked at nothing");
  for (const v of violations) if (!grave(v)) note(`${page.url()}: axe, ${v.impact}: ${v.id}: ${v.nodes[0].html.slice(0, 120)}`);
  return violations.filter(grave).map((v) => `axe, ${v.impact}: ${v.help} (${v.id}): ${v.nodes.map((n) => n.html.slice(0, 160) + " " + n.failureSummary).join(" | ")}`);
}
const grave = (v) => v.impact === "serious" || v.impact === "critical";

// cutOff runs in the page: what is wider than the screen, or than its own box, and what is
// too small for a finger.
function cutOff() {
  const faults = [];
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 1) faults.push(`the page is ${wide} pixels wider than the screen`);
  for (const e of document.body.querySelectorAll("*")) {
    const s = getComputedStyle(e), r = e.getBoundingClientRect();
    if (!r.width || !r.height || s.visibility === "hidden" || e.closest(".skip")) continue;
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const hides = (v) => v === "hidden" || v === "clip";
    if (text && r.width > 2 && ((hides(s.overflowX) && e.scrollWidth > e.clientWidth + 1) || (hides(s.overflowY) && e.scrollHeight > e.clientHeight + 2)))
      faults.push(`cut off: <${e.localName}> ${e.textContent.trim().slice(0, 60)}`);
    if (e.matches("button, input:not([type=hidden]), select, textarea") && (r.width < 24 || r.height < 24) && !e.closest("label"))
      faults.push(`too small a target, ${Math.round(r.width)}×${Math.round(r.height)}: <${e.localName}> ${(e.textContent || e.name).trim().slice(0, 40)}`);
  }
  return faults;
}

// foreign runs in the page: text in English outside of what says that it is.
function foreign() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!e.checkVisibility() || e.closest("[lang]:not([lang=vi]), code, pre, kbd, script, style")) continue;
    if (/\b(the|and|of|is|are|not|with|for|from|this|you|was|card|log|page|name|date|issuer|reader)\b/i.test(n.data)) found.push(n.data.trim().slice(0, 80));
  }
  return found;
}
