// A day at the office, in Vietnamese.
import { check, hand, look, play } from "./lib.mjs";
import { follow, officer, path, press, refused } from "./console.mjs";

await play(async (config, browser) => {
  const an = await officer(browser, config, "an");
  const binh = await officer(browser, config, "binh");
  await application(an, config);
  await approval(an, binh, config);
  const card = await making(an, config);
  await handover(binh, card, config);
});

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
  await follow(binh.page, `a[href="${an.application}"]`);
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
  await page.waitForURL(/\/desk\/cards\/C-/, { timeout: 60_000 });
  check(!(await page.locator("#check").count()), "who made the card is offered to check it");
  return new URL(page.url()).pathname;
}

// handover has the other officer look at the card and give it to its holder.
async function handover(binh, card, { url }) {
  const { page } = binh;
  await page.goto(url + card);
  await look(binh, "desk-card");
  await press(page, "#check");
  await page.locator("#quality").waitFor({ timeout: 60_000 });
  check((await page.locator("#quality").innerText()).includes("Thẻ đạt"), "the card did not pass");
  await look(binh, "desk-checked");
  await press(page, "#identity", "Space");
  await follow(page, "#deliver");
  await page.getByText("đang có hiệu lực").first().waitFor();
  await look(binh, "desk-delivered");
  await page.goto(url + "/desk/?all=1");
  await look(binh, "desk-ended");
}
