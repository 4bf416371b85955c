package lds

import (
	"encoding/hex"
	"strings"
	"testing"
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFiles(t *testing.T) {
	for _, f := range Files() {
		if got, ok := ByName(strings.ToLower(f.FileName())); !ok || got != f {
			t.Errorf("%s is found as %v", f.FileName(), got)
		}
	}
	if Group(13) != DG13 || Group(0) != 0 || Group(17) != 0 || DG13.FID() != 0x010D || SODFile.SFI() != 0x1D {
		t.Error("a file has the wrong number")
	}
	if File(0).FID() != 0 || File(200).Name() == "" {
		t.Error("no file is a file")
	}
}
