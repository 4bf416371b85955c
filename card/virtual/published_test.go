package virtual

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

// bsiReference is the reference data set of TR-03105-5 as a chip, with its published keys.
func bsiReference(t testing.TB, o FolderOptions) (*Chip, map[lds.File][]byte) {
	t.Helper()
	key, err := dh.BrainpoolP224r1().NewPrivateKey(testdata.Scalar(t, testdata.Vectors(t, "lds/bsi-reference/chip-auth-private.pkcs8")))
	if err != nil {
		t.Fatal(err)
	}
	defer key.Destroy()
	o.CA = key
	active, err := x509.ParsePKCS8PrivateKey(testdata.Vectors(t, "lds/bsi-reference/active-auth-private.pkcs8"))
	if err != nil {
		t.Fatal(err)
	}
	o.ActiveRSA = active.(*rsa.PrivateKey)
	return published(t, "bsi-reference", o)
}

func published(t testing.TB, name string, o FolderOptions) (*Chip, map[lds.File][]byte) {
	t.Helper()
	dir := filepath.Join(testdata.Dir(t), "lds", name)
	c, err := FromFolder(os.DirFS(dir), o)
	if err != nil {
		t.Fatal(err)
	}
	files, err := readFolder(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return c, files
}

// TestBSIReference reads the reference data set, proves the chip by the published key, and
// finds DG3 and DG4 closed without a right to them.
func TestBSIReference(t *testing.T) {
	for _, open := range []bool{false, true} {
		c, files := bsiReference(t, FolderOptions{NoEAC: open, Limits: extended})
		zone, err := lds.ParseDG1(files[lds.DG1])
		if err != nil {
			t.Fatal(err)
		}
		s := openBy(t, c, extended, auth.MRZ(zone.KeyInfo()))
		defer s.Close()
		infos, err := lds.ParseDG14(files[lds.DG14])
		if err != nil {
			t.Fatal(err)
		}
		keys, err := auth.ChipAuthKeys(infos)
		if err != nil || len(keys) != 1 {
			t.Fatal(len(keys), err)
		}
		if _, err := s.Chip1(t.Context(), keys[0], lds.DG1); err != nil {
			t.Fatal(err)
		}
		pub, err := lds.ParseDG15(files[lds.DG15])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Active(t.Context(), pub, 0); err != nil {
			t.Error(err)
		}
		for f, want := range files {
			got, err := s.ReadFile(t.Context(), f, nil)
			if !open && (f == lds.DG3 || f == lds.DG4) {
				if !errors.Is(err, apdu.SecurityStatus) {
					t.Errorf("%v without a right: %v", f, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %d octets, %v", f, len(got), err)
			}
		}
	}
}

// TestGermanSets reads the German TD1 sets with the CAN, EF.CardSecurity among their files.
func TestGermanSets(t *testing.T) {
	for _, name := range []string{"defaultpersogt", "profile02", "profile05", "profile09", "profileub01", "profileub03"} {
		t.Run(name, func(t *testing.T) {
			c, files := published(t, "de-td1-"+name, FolderOptions{CAN: "500540", NoEAC: true})
			if files[lds.CardSecurity] == nil {
				t.Fatal("no EF.CardSecurity")
			}
			infos, err := lds.ParseCardAccess(files[lds.CardAccess])
			if err != nil {
				t.Fatal(err)
			}
			r, err := auth.PACE(t.Context(), apdu.Over(c, apdu.Limits{}), auth.CAN("500540"), infos.PACE[0])
			if err != nil {
				t.Fatal(err)
			}
			first, err := r.Channel.Transmit(t.Context(), readCommand(lds.CardSecurity, 0, 200))
			if err != nil || !bytes.Equal(first.Data, files[lds.CardSecurity][:200]) {
				t.Errorf("EF.CardSecurity: %v, %v", first.Status, err)
			}
			r.Channel.Close()
			s := openBy(t, c, apdu.Limits{}, auth.CAN("500540"))
			defer s.Close()
			for f, want := range files {
				if f == lds.CardAccess || f == lds.CardSecurity {
					continue
				}
				if got, err := s.ReadFile(t.Context(), f, nil); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%v: %d octets, %v", f, len(got), err)
				}
			}
		})
	}
}
