// The portrait: from a file or the camera, made small enough for the chip before it is sent.
// What the desk takes the server says all the same.
const file = document.getElementById("portrait");
const preview = document.getElementById("preview");
const note = document.getElementById("portrait-note");
const video = document.getElementById("viewfinder");
const camera = document.getElementById("camera");
const shoot = document.getElementById("shoot");
const limit = Number(note.dataset.limit);

function put(blob) {
  const list = new DataTransfer();
  list.items.add(new File([blob], "portrait.jpg", { type: "image/jpeg" }));
  file.files = list.files;
  preview.src = URL.createObjectURL(blob);
  preview.hidden = false;
}

// shrink draws the picture at three to four and lowers its quality until it fits the chip.
async function shrink(source, width, height) {
  if (width < 240 || height < 320) {
    note.textContent = note.dataset.small;
    return;
  }
  const w = Math.min(width, (height * 3) / 4);
  const h = (w * 4) / 3;
  const canvas = document.createElement("canvas");
  canvas.width = 480;
  canvas.height = 640;
  canvas.getContext("2d").drawImage(source, (width - w) / 2, (height - h) / 2, w, h, 0, 0, 480, 640);
  for (let quality = 0.92; quality > 0.3; quality -= 0.06) {
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (blob.size <= limit) {
      put(blob);
      return;
    }
  }
}

file.addEventListener("change", async () => {
  note.textContent = "";
  preview.hidden = true;
  const chosen = file.files[0];
  if (!chosen) return;
  if (chosen.size > 16 << 20) {
    note.textContent = note.dataset.unreadable;
    file.value = "";
    return;
  }
  try {
    const bitmap = await createImageBitmap(chosen);
    if (chosen.size > limit) {
      await shrink(bitmap, bitmap.width, bitmap.height);
      note.textContent = note.textContent || note.dataset.large;
    } else {
      if (bitmap.width < 240 || bitmap.height < 320) note.textContent = note.dataset.small;
      preview.src = URL.createObjectURL(chosen);
      preview.hidden = false;
    }
    bitmap.close();
  } catch {
    note.textContent = note.dataset.unreadable;
  }
});

if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia) camera.hidden = false;
let stream = null;
camera.addEventListener("click", async () => {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 960 } } });
    video.srcObject = stream;
    video.hidden = shoot.hidden = false;
    await video.play();
    shoot.focus();
  } catch (e) {
    note.textContent = note.dataset.camera + " (" + e.name + ")";
  }
});
shoot.addEventListener("click", async () => {
  await shrink(video, video.videoWidth, video.videoHeight);
  stream.getTracks().forEach((t) => t.stop());
  video.hidden = shoot.hidden = true;
});
