package verify

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
)

// FuzzJudgeFiles changes a file of a genuine document. Whatever comes in, there is a
// report; and what is accepted carries only data that were signed.
func FuzzJudgeFiles(f *testing.F) {
	var good []paCase
	genuine := map[CardID]bool{}
	for _, c := range paCases(f) {
		if sod, err := lds.ParseSOD(c.files(f)[lds.SODFile]); err == nil && c.Expected.Verdict != "reject" {
			genuine[sod.CardID()] = true
		}
	}
	for _, c := range paCases(f) {
		if c.ID == "ok-rsa-pkcs1" || c.ID == "ok-ecdsa-bp256-explicit" || c.ID == "ok-ber-chunked-content" || c.ID == "ok-signer-in-store" {
			good = append(good, c)
		} else {
			for i, name := range []lds.File{lds.DG1, lds.DG2, lds.SODFile, lds.COM} { // seeds: whole files of the other cases
				f.Add(uint8(0), uint8(i), uint16(0), c.files(f)[name], true)
			}
		}
	}
	f.Add(uint8(1), uint8(2), uint16(100), []byte{0xFF}, false)
	f.Add(uint8(2), uint8(2), uint16(30), []byte{0x80, 0x00}, false)
	names := []lds.File{lds.DG1, lds.DG2, lds.SODFile, lds.COM, lds.DG14, lds.DG15, lds.DG13}
	var options []Options
	for _, c := range good {
		options = append(options, c.options(f))
	}
	f.Fuzz(func(t *testing.T, which, file uint8, at uint16, patch []byte, whole bool) {
		n := int(which) % len(good)
		files := good[n].files(t)
		name := names[int(file)%len(names)]
		original := files[name]
		changed := patch
		if !whole {
			changed = slices.Clone(original)
			copy(changed[min(int(at), len(changed)):], patch)
		}
		files[name] = changed
		r, err := JudgeFiles(context.Background(), files, options[n])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.JSON(); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.Render(&b, Vietnamese, RenderOptions{All: true, Portrait: true}); err != nil {
			t.Fatal(err)
		}
		if r.Verdict != Accept || bytes.Equal(changed, original) {
			return
		}
		switch name {
		case lds.SODFile:
			if !genuine[r.Document.Card] {
				t.Error("accepted with a list that nobody signed")
			}
		case lds.DG1, lds.DG2:
			t.Errorf("accepted with a changed %s", name)
		}
	})
}

func BenchmarkPassiveAuthentication(b *testing.B) {
	for _, c := range paCases(b) {
		if c.ID != "ok-rsa-pkcs1" && c.ID != "ok-ecdsa-bp256-explicit" && c.ID != "ok-lds18" {
			continue
		}
		b.Run(c.ID, func(b *testing.B) {
			files, o := c.files(b), c.options(b)
			b.ReportAllocs()
			for b.Loop() {
				if r, err := JudgeFiles(context.Background(), files, o); err != nil || r.Verdict != Accept {
					b.Fatal(err)
				}
			}
		})
	}
}
