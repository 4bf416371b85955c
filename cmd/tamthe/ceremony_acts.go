package main

import (
	"context"
	"crypto/aes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/ceremony"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// arguments are what an act of a ceremony is told; each is taken once, and what nobody takes
// is an error.
type arguments struct {
	with  map[string]string
	taken []string
	err   error
}

func (a *arguments) text(name, otherwise string) string {
	a.taken = append(a.taken, name)
	if v, there := a.with[name]; there {
		return v
	}
	return otherwise
}

func (a *arguments) number(name string, otherwise int) int {
	n, err := strconv.Atoi(a.text(name, strconv.Itoa(otherwise)))
	if err != nil || n < 1 {
		a.err = errors.Join(a.err, fmt.Errorf("%s is a number from 1", name))
	}
	return n
}

func (a *arguments) rest() error {
	for name := range a.with {
		if !slices.Contains(a.taken, name) {
			a.err = errors.Join(a.err, fmt.Errorf("there is no argument %s", name))
		}
	}
	return a.err
}

// ceremonyActs are the acts of a ceremony: each returns the files that it made.
var ceremonyActs = map[string]func(context.Context, *hall, *desk.Office, *arguments) ([]string, error){
	"csca": func(ctx context.Context, h *hall, o *desk.Office, a *arguments) ([]string, error) {
		r := ca.CSCA{
			Country: a.text("country", "VN"), State: a.text("state", "VNM"), Organization: a.text("organization", "tamthe"), CommonName: "CSCA", Specimen: true,
			Contact: "ca@tamthe.example", CRL: []string{"http://tamthe.example/csca.crl"}, From: h.now(), CardYears: a.number("card-years", 25),
		}
		algorithm := a.text("algorithm", "P-384")
		if err := a.rest(); err != nil {
			return nil, err
		}
		if err := o.MakeCSCA(ctx, r, algorithm); err != nil {
			return nil, err
		}
		return []string{"csca.cer"}, writeIssuers(ctx, h.program, r.Country)
	},
	"csca-next": func(ctx context.Context, h *hall, o *desk.Office, a *arguments) ([]string, error) {
		r := ca.Successor{CommonName: a.text("name-change", ""), From: h.now(), CardYears: a.number("card-years", 25)}
		urgent := a.text("urgent", "")
		if err := a.rest(); err != nil {
			return nil, err
		}
		name, err := o.NextCSCA(ctx, r, urgent)
		return []string{name + ".cer"}, err
	},
	"link": func(ctx context.Context, _ *hall, o *desk.Office, a *arguments) ([]string, error) {
		if err := a.rest(); err != nil {
			return nil, err
		}
		file, err := o.LinkCSCA(ctx)
		return []string{file}, err
	},
	"ds": func(ctx context.Context, h *hall, o *desk.Office, a *arguments) ([]string, error) {
		r := ca.Signer{
			From: h.now(), CardYears: a.number("card-years", 25), DocumentTypes: strings.Split(a.text("documents", "ID"), ","),
			UseMonths: a.number("use-months", 3), Cap: a.number("cap", 100_000),
		}
		algorithm := a.text("algorithm", "P-256")
		if err := a.rest(); err != nil {
			return nil, err
		}
		name, err := o.MakeSigner(ctx, r, algorithm)
		return []string{name + ".cer"}, err
	},
	"list-signer": func(ctx context.Context, h *hall, o *desk.Office, a *arguments) ([]string, error) {
		r := ca.ListSigner{From: h.now(), Deviations: a.text("of", "master") == "deviation"}
		algorithm := a.text("algorithm", "P-256")
		if err := a.rest(); err != nil {
			return nil, err
		}
		name, err := o.MakeListSigner(ctx, r, algorithm)
		return []string{name + ".cer"}, err
	},
	"crl": func(ctx context.Context, _ *hall, o *desk.Office, a *arguments) ([]string, error) {
		days := a.number("days", 90)
		var revoke []string
		if names := a.text("revoke", ""); names != "" {
			revoke = strings.Split(names, ",")
		}
		if err := a.rest(); err != nil {
			return nil, err
		}
		return []string{"csca.crl"}, o.MakeCRL(ctx, days, revoke...)
	},
	"masterlist": func(ctx context.Context, _ *hall, o *desk.Office, a *arguments) ([]string, error) {
		if err := a.rest(); err != nil {
			return nil, err
		}
		file, err := o.MakeMasterList(ctx)
		return []string{file}, err
	},
	"cvca": func(ctx context.Context, _ *hall, o *desk.Office, a *arguments) ([]string, error) {
		r := desk.CVCA{Holder: a.text("holder", "VNCVCA"), Algorithm: a.text("algorithm", "brainpoolP256r1"), Months: a.number("months", 36)}
		if err := a.rest(); err != nil {
			return nil, err
		}
		reference, err := o.MakeCVCA(ctx, r)
		return []string{string(reference) + ".cvcert"}, err
	},
}

// trustedOutputs are the kinds of files that checkpoints of this home trust.
var trustedOutputs = []string{"csca.cer", "csca.crl", "-link.cer"}

// act does an act of the script.
func (h *hall) act(ctx context.Context, name string, with map[string]string, _ []ceremony.Custodian) ([]ceremony.Output, error) {
	act, known := ceremonyActs[name]
	if !known {
		return nil, usagef("there is no act %q in ceremonies", name)
	}
	office, err := h.office(ctx)
	if err != nil {
		return nil, err
	}
	defer office.done()
	files, err := act(ctx, h, office.Office, &arguments{with: with})
	if err != nil {
		return nil, err
	}
	var outputs []ceremony.Output
	for _, f := range files {
		b, err := os.ReadFile(h.home.path(pkiDir, f))
		if err != nil {
			return nil, err
		}
		trusted := slices.ContainsFunc(trustedOutputs, func(end string) bool { return strings.HasSuffix(f, end) })
		if trusted || strings.HasPrefix(f, "csca-") {
			if err := os.WriteFile(h.home.path(trustDir, f), b, 0o600); err != nil {
				return nil, err
			}
		}
		outputs = append(outputs, ceremony.Output{Name: f, Digest: ceremony.Digest(b)})
	}
	return outputs, nil
}

// keyValue begins the name of a symmetric key whose check value is read.
const keyValue = "kcv:"

// checkValue is what is read aloud: of a symmetric key the three octets of its key check value
// (GlobalPlatform B.6: AES of sixteen octets 01), of a file the first ten of its SHA-256.
func (h *hall) checkValue(_ context.Context, of string) (string, error) {
	if name, ok := strings.CutPrefix(of, keyValue); ok {
		use := map[string]keystore.Use{masterKeyName: keystore.UseCardMaster, vaultKeyName: keystore.UseVault}[name]
		if use == "" {
			return "", usagef("there is no key %q with a check value", name)
		}
		secret, err := keystore.OpenSecret(h.home.path(keysDir, name), use)
		if err != nil {
			return "", err
		}
		defer secret.Destroy()
		block, err := aes.NewCipher(secret.Bytes())
		if err != nil {
			return "", err
		}
		out := make([]byte, aes.BlockSize)
		block.Encrypt(out, []byte(strings.Repeat("\x01", aes.BlockSize)))
		return strings.ToUpper(hex.EncodeToString(out[:3])), nil
	}
	b, err := os.ReadFile(h.home.path(pkiDir, of))
	if err != nil {
		return "", err
	}
	d := ceremony.Digest(b)
	text := strings.ToUpper(hex.EncodeToString(d[:10]))
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-"), nil
}
