// Officers at the console.
import { check, fault, passkey, visitor } from "./lib.mjs";

// officer opens a browser with a passkey, registers it with the invitation and logs in.
export async function officer(browser, config, name) {
  const who = await visitor(browser, config.url, { name });
  who.key = await passkey(who.page);
  await who.page.goto(config.url + "/login/new");
  await register(who, config, name);
  return who;
}

// register fills in the page of invitations and comes to the first page.
export async function register({ page }, config, name) {
  await page.fill("#code", config.codes[name]);
  await page.fill("#passphrase", config.passphrase);
  await page.click("#register button");
  await page.waitForURL((u) => !u.pathname.startsWith("/login/new"));
  if (new URL(page.url()).pathname === "/login") await enter({ page });
}

// enter logs in by the passkey.
export async function enter({ page }) {
  await page.click("#passkey");
  await page.waitForURL((u) => u.pathname !== "/login");
}

// refused expects that the page in front says no, by that code, in Vietnamese.
export async function refused({ page, name }, code) {
  const said = await page.locator("#failure:visible, .failure:visible").first().innerText();
  check(said.includes(code), `${name}: not refused by ${code}: ${said}`);
}

export async function path({ page, name }, want, why) {
  const got = new URL(page.url()).pathname;
  if (got !== want) fault(`${name}: ${why}: at ${got}, not ${want}`);
}

// press goes to something by the Tab key alone, and presses a key there: whoever has no mouse
// must come there, too.
export async function press(page, selector, key = "Enter") {
  const there = () => page.evaluate((s) => !!document.activeElement?.matches(s), selector);
  await page.locator(selector).first().waitFor();
  for (let n = 0; n < 80 && !(await there()); n++) await page.keyboard.press("Tab");
  if (!(await there())) throw new Error(`${selector} cannot be reached by the Tab key`);
  await page.keyboard.press(key);
}

// follow presses what leads to another page, and waits for that.
export const follow = (page, selector) => Promise.all([page.waitForEvent("load"), press(page, selector)]);
