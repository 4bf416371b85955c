// A day at the office, in Vietnamese.
import { readFileSync } from "node:fs";
import { check, hand, look, play } from "./lib.mjs";
import { follow, officer, path, press, refused } from "./console.mjs";

await play(async (config, browser) => {
  const an = await officer(browser, config, "an");
  const binh = await officer(browser, config, "binh");
  const chi = await officer(browser, config, "chi");
  const kept = await keep(chi, config);
  await stock(an, config);
  await application(an, config);
  await approval(an, binh, config);
  const card = await making(an, config);
  await handover(an, binh, card, config);
  await evening(an, config);
  await checkpoint(chi, config);
  await audit(chi, card.split("/").pop(), kept, config);
});

// stock takes a batch of blank cards in.
async function stock(an, { url }) {
  const { page } = an;
  await page.goto(url + "/desk/stock");
  await look(an, "stock-empty");
  await press(page, "#open-receive");
  await page.fill("#receive-batch", "B-1");
  await page.fill("#receive-numbers", "1-100");
  await follow(page, "#receive-do");
  check((await page.locator("#holdings").innerText()).includes("100"), "the blanks are not in stock");
  await look(an, "stock");
}

// application goes from an empty page to an application that is open.
async function application(an, { url, citizen, face }) {
  const { page } = an;
  await page.goto(url + "/desk/");
  await look(an, "desk-empty");
  await follow(page, "#new");
  await path(an, "/desk/new", "a new application");
  await look(an, "desk-new");

  // What is wrong is said, and nothing that was typed is lost.
  const day = (d) => d.split("-").reverse().join("/");
  const fields = { ...citizen, birth: "31/02/1990" };
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`#${name}`);
    if (!value || !(await field.count())) continue;
    if (name === "sex") await field.selectOption(value);
    else await field.fill(value);
  }
  await page.setInputFiles("#portrait", face);
  await page.locator("#preview").waitFor();
  an.forgive(/status of 4\d\d/);
  await follow(page, "#enrol");
  await refused(an, "field-birth");
  check((await page.inputValue("#surname")) === citizen.surname, "what was typed is lost");
  await look(an, "desk-new-refused");
  await page.fill("#birth", day(citizen.birth));

  // The portrait by the camera.
  await page.click("#camera");
  await page.locator("#shoot").waitFor();
  await page.waitForFunction(() => document.getElementById("viewfinder").videoWidth > 0);
  await look(an, "desk-new-camera");
  await press(page, "#shoot");
  await page.locator("#preview").waitFor();
  await look(an, "desk-new-filled");
  await follow(page, "#enrol");
  await page.waitForURL(/\/desk\/applications\/A-/);
  an.application = new URL(page.url()).pathname;
  check((await page.locator("#stand").innerText()) === "đã tiếp nhận", "the application is not open");
  check(!(await page.locator("#approve").count()), "the registrar is offered to approve");
}

// approval holds the application against the register, and a second officer approves it.
async function approval(an, binh, { url }) {
  binh.forgive(/status of 4\d\d/);
  await binh.page.goto(url + "/desk/");
  await look(binh, "desk-list");
  await binh.page.goto(url + "/desk/register");
  await look(binh, "desk-register");
  await follow(binh.page, `a[href="${an.application}"]`);
  await press(binh.page, "#made summary", "Enter");
  await follow(binh.page, "#approve");
  await refused(binh, "unconfirmed");
  await look(binh, "desk-unconfirmed");

  await follow(an.page, "#ask");
  await an.page.locator("#comparison").waitFor();
  check(!(await an.page.locator("#comparison").innerText()).includes("LỆCH"), "the register differs");
  await look(an, "desk-compared");

  await binh.page.goto(url + an.application);
  await look(binh, "desk-approve");
  await follow(binh.page, "#approve");
  await binh.page.getByText("đã duyệt").first().waitFor();
}

// making lays a blank card onto the reader and has it made; it returns the card's page.
async function making(an, { url }) {
  const { page } = an;
  await page.goto(url + an.application);
  await look(an, "desk-make");
  await follow(page, "#make");
  await page.locator("#failure:visible").waitFor();
  await refused(an, "no-card");
  await look(an, "job-no-card");
  await hand("put", "blank");
  await page.goto(url + an.application);
  await page.locator("#make").focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/jobs\//);
  await look(an, "job-making", { moving: true });
  await page.waitForURL(/\/desk\/cards\/C-/);
  check(!(await page.locator("#check").count()), "who made the card is offered to check it");
  return new URL(page.url()).pathname;
}

// handover prints the card's body; the other officer looks at chip and body and gives the
// card to its holder.
async function handover(an, binh, card, { url }) {
  const [download] = await Promise.all([an.page.waitForEvent("download"), press(an.page, "#print")]);
  check(/\.pdf$/.test(download.suggestedFilename()), `the print job is ${download.suggestedFilename()}`);
  const { page } = binh;
  await page.goto(url + card);
  await look(binh, "desk-card");
  await follow(page, "#check");
  await page.locator("#quality").waitFor();
  check((await page.locator("#quality-code").innerText()) === "optical", "a printed card passes unread");
  await look(binh, "desk-card-unread");

  const body = await hand("scan", await download.path());
  await page.fill("#number", body.number);
  await page.fill("#mrz", body.mrz);
  await page.fill("#qr", body.qr);
  await page.setInputFiles("#face", body.face);
  await page.locator("#face-preview").waitFor();
  await look(binh, "desk-card-read");
  await follow(page, "#check");
  await page.locator("#quality").waitFor();
  check((await page.locator("#quality").innerText()).includes("Thẻ đạt"), "the card did not pass");
  await look(binh, "desk-checked");
  await press(page, "#identity", "Space");
  await follow(page, "#deliver");
  check((await page.locator("#stand").innerText()) === "đang có hiệu lực", "the card is not in force");
  await look(binh, "desk-delivered");
}

// evening looks at what the day left.
async function evening(an, { url }) {
  const { page } = an;
  for (const [name, path] of Object.entries({
    "desk-ended": "/desk/?all=1", "desk-cards": "/desk/cards", "desk-statistics": "/desk/statistics", "desk-paper": `${an.application}/paper/cc02`,
    "desk-done": an.application,
  })) {
    await page.goto(url + path);
    await look(an, name);
  }
}

// checkpoint sees that card, a copy of it, and a card that somebody unknown signed.
async function checkpoint(chi, { url, can }) {
  await chi.page.goto(url + "/checkpoint/");
  await look(chi, "check");
  chi.forgive(/status of 4\d\d/);
  await hand("clear");
  await chi.page.keyboard.type(can);
  await Promise.all([chi.page.waitForURL(/\/jobs\//), chi.page.keyboard.press("Enter")]);
  await chi.page.locator("#failure:visible").waitFor();
  await refused(chi, "no-card");

  await hand("put", "card");
  await inspect(chi, url, "000000");
  await refused(chi, "wrong-password");
  await look(chi, "check-wrong-can");
  await inspect(chi, url, can);
  await verdict(chi, "accept");
  check((await chi.page.locator("#holder-fields").innerText()).includes("Nguyễn Thị Thử Nghiệm"), "the holder is not named");
  await look(chi, "check-asked");
  await follow(chi.page, "#holder-match");
  await verdict(chi, "accept");
  await look(chi, "check-accept");

  await hand("put", "copy");
  await inspect(chi, url, can);
  await verdict(chi, "refuse", "chip-key-mismatch");
  await look(chi, "check-refuse");

  await hand("put", "stranger");
  await inspect(chi, url, can);
  await verdict(chi, "refer", "csca-unknown");
  check(!(await chi.page.locator("main").innerText()).includes("Nguyễn"), "a name is shown that nobody vouches for");
  await look(chi, "check-refer");
  await hand("clear");

  await chi.page.goto(url + "/checkpoint/history");
  check((await chi.page.locator("#inspections tbody tr").count()) >= 4, "the history does not have them all");
  await look(chi, "check-history");
}

// inspect types what opens a card, as a scanner does, and waits for what comes of it.
async function inspect({ page }, url, secret) {
  await page.goto(url + "/checkpoint/");
  await page.locator("#secret:focus").waitFor();
  await page.keyboard.type(secret);
  await page.keyboard.press("Enter");
  await page.locator("#verdict, #failure:visible").first().waitFor();
}

async function verdict({ page }, want, reason) {
  const v = page.locator("#verdict");
  const got = await v.getAttribute("data-verdict");
  const codes = await v.locator(".reason").allInnerTexts();
  check(got === want && (!reason || codes.includes(reason)), `${got} (${codes}), not ${want} (${reason ?? ""})`);
}

// keep is what the auditor does in the morning: a checkpoint of the log goes elsewhere.
async function keep({ page }, { url }) {
  await page.goto(url + "/audit/");
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, "#keep")]);
  return readFileSync(await download.path(), "utf8");
}

// audit is the evening's: the log continues that of the morning and agrees with itself, no
// pair of eyes was one person's, and a proof leaves the house.
async function audit(chi, card, kept, { url }) {
  const { page } = chi;
  await page.goto(url + "/audit/");
  await page.locator("#checkpoint-good").waitFor();
  await look(chi, "audit");
  const key = await page.locator("#log-key").innerText();
  await page.fill("#checkpoint", kept);
  await follow(page, "#continue");
  await page.locator("#continued").waitFor();
  await look(chi, "audit-continued");
  await page.fill("#checkpoint", kept.replace(/^[0-9]+$/m, (n) => Number(n) + 1));
  await follow(page, "#continue");
  check((await page.locator("#failure").count()) === 1 && !(await page.locator("#continued").count()), "a checkpoint of another log is continued");
  await look(chi, "audit-not-continued");

  await page.goto(url + "/audit/");
  await press(page, "#verify");
  await page.locator("#ledger-good").waitFor();
  await look(chi, "audit-verified");

  await page.goto(`${url}/audit/entries?kind=card&name=${card}`);
  await look(chi, "audit-entries");
  await follow(page, "#entries tbody tr:last-child a");
  await page.locator("#proven").waitFor();
  await look(chi, "audit-proof");
  const [proof] = await Promise.all([page.waitForEvent("download"), press(page, "#proof")]);
  check(await hand("prove", await proof.path(), key), "the proof proves nothing");

  await page.goto(url + "/audit/eyes");
  await page.locator("#eyes-good").waitFor();
  check((await page.locator("#cards").innerText()).includes(card), "the card has no eyes");
  await look(chi, "audit-eyes");
  for (const part of ["operators", "operators/binh", "conflicts", "stock", "counts"]) {
    await page.goto(`${url}/audit/${part}`);
    await look(chi, "audit-" + part.replace("/", "-"));
  }
}
