// Coming in and going: registration, login, lock, logout.
import { check, look, passkey, play, visitor } from "./lib.mjs";
import { enter, officer, path, refused, register } from "./console.mjs";

await play(async (config, browser) => {
  // Who has no invitation gets in nowhere.
  const stranger = await visitor(browser, config.url, { name: "stranger" });
  stranger.forgive(/status of 40[34]/);
  await stranger.page.goto(config.url + "/desk/");
  await path(stranger, "/login", "a stranger at the desk");
  await look(stranger, "login");
  const key = await passkey(stranger.page);
  await stranger.page.goto(config.url + "/login/new");
  await look(stranger, "register");
  await stranger.page.fill("#code", "AAAA-BBBB-CCCC");
  await stranger.page.fill("#passphrase", "x");
  await stranger.page.click("#register button");
  await stranger.page.locator("#failure").waitFor();
  await refused(stranger, "invitation");
  await look(stranger, "register-refused");
  check((await key.credentials()).length === 0, "a stranger has a passkey");
  await stranger.page.goto(config.url + "/nowhere");
  await refused(stranger, "page-missing");
  await look(stranger, "page-missing");

  // An registers, which needs the passphrase, and is in.
  const an = await officer(browser, config, "an");
  check((await an.key.credentials()).length === 1, "An has no passkey");
  await path(an, "/", "after registration");
  check((await an.page.locator("#operator").innerText()) === "an", "somebody else is logged in");
  await look(an, "home");

  // A code is good once.
  await stranger.page.goto(config.url + "/login/new");
  await stranger.page.fill("#code", config.codes.an);
  await stranger.page.fill("#passphrase", config.passphrase);
  await stranger.page.click("#register button");
  await stranger.page.locator("#failure").waitFor();
  await refused(stranger, "invitation");

  // Out and in again: the passkey alone opens the key.
  await an.page.click("#logout");
  await an.page.goto(config.url + "/");
  await path(an, "/login", "logged out");
  await enter(an);
  await path(an, "/", "logged in by passkey");

  // Locked by hand: the page says so, and the passkey opens it.
  await an.page.click("#lock");
  await an.page.goto(config.url + "/");
  await path(an, "/login", "locked");
  await look(an, "locked");
  await enter(an);

  // The language is the reader's choice, and Vietnamese before it.
  await an.page.click("form.lang button");
  an.lang = "en";
  await look(an, "home-en");
  await an.page.click("form.lang button");
  an.lang = "vi";

  // Who the authenticator did not verify is not let in. It is the last of An here: an
  // authenticator that was shown the wrong finger so often takes none any more.
  await an.page.click("#logout");
  await an.page.goto(config.url + "/login");
  await an.key.verifies(false);
  await an.page.click("#passkey");
  await an.page.locator("#failure").waitFor();
  await path(an, "/login", "without the owner's finger");
  await look(an, "login-refused");

  // Nobody works for a while: the session locks by itself, and opens where it was.
  const binh = await officer(browser, { ...config, url: config.hasty }, "binh");
  await binh.page.waitForTimeout(4500);
  await binh.page.goto(config.hasty + "/checkpoint/");
  await path(binh, "/login", "left alone");
  check((await binh.page.locator("main").innerText()).includes("Phiên làm việc đã khóa"), "it does not say that it was locked");
  await enter(binh);
  await path(binh, "/", "back again");
});
