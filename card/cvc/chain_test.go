package cvc

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/dh"
)

// pki is a CVCA with a link to its next key, a document verifier and a terminal.
type pki struct {
	algorithm                             Algorithm
	keys                                  map[string]crypto.Signer
	cvca, link, dv, foreign, terminal, is *Certificate // is: below the foreign DV
}

func day(y int, m time.Month, d int) Date { return On(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) }

func newSigner(t testing.TB, a Algorithm) crypto.Signer {
	t.Helper()
	if a.RSA() {
		k, err := rsa.GenerateKey(rand.Reader, 1536)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newPKI(t testing.TB, a Algorithm) *pki {
	t.Helper()
	p := &pki{algorithm: a, keys: map[string]crypto.Signer{}}
	all := NewCHAT(InspectionSystem, CVCA).AllRights()
	role := func(r Role) CHAT { c := all; c.Role = r; return c }
	p.cvca = p.sign(t, "XOCVCA00001", "XOCVCA00001", all, day(2026, 1, 1), day(2029, 1, 1))
	p.link = p.sign(t, "XOCVCA00001", "XOCVCA00002", all, day(2026, 6, 1), day(2029, 6, 1))
	p.dv = p.sign(t, "XOCVCA00001", "XODV00001", role(DVDomestic), day(2026, 2, 1), day(2026, 8, 1))
	p.foreign = p.sign(t, "XOCVCA00001", "XPDV00001", role(DVForeign), day(2026, 3, 1), day(2026, 9, 1))
	p.terminal = p.sign(t, "XODV00001", "XOIS00001", NewCHAT(InspectionSystem, TerminalRole, ReadDG3), day(2026, 2, 3), day(2026, 3, 3))
	p.is = p.sign(t, "XPDV00001", "XPIS00001", role(TerminalRole), day(2026, 5, 5), day(2026, 6, 6))
	return p
}

func (p *pki) signer(t testing.TB, name string) crypto.Signer {
	if p.keys[name] == nil {
		p.keys[name] = newSigner(t, p.algorithm)
	}
	return p.keys[name]
}

func (p *pki) sign(t testing.TB, by, name string, chat CHAT, from, to Date) *Certificate {
	t.Helper()
	key, err := NewPublicKey(p.algorithm, p.signer(t, name).Public())
	if err != nil {
		t.Fatal(err)
	}
	c, err := Sign(Template{Authority: Reference(by), Holder: Reference(name), Key: key, CHAT: chat, Effective: from, Expiry: to}, p.algorithm, p.signer(t, by))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// show gives a chip certificates one by one.
func show(c *Chain, list ...*Certificate) error {
	for _, x := range list {
		if err := c.Choose(x.Authority); err != nil {
			return err
		}
		if err := c.Import(x); err != nil {
			return err
		}
	}
	return nil
}

// TestChain plays good chains in every algorithm (J_1, L_1 to L_8).
func TestChain(t *testing.T) {
	for a := RSAv15SHA1; a.known(); a++ {
		p := newPKI(t, a)
		c := NewChain([]TrustPoint{p.cvca.TrustPoint()}, day(2026, 1, 1))
		if err := show(c, p.dv, p.terminal); err != nil {
			t.Errorf("%v: %v", a, err)
			continue
		}
		key, rights, err := c.Terminal("XOIS00001")
		if err != nil || !rights.Has(ReadDG3) || rights.Has(ReadDG4) || c.Today() != day(2026, 2, 3) {
			t.Errorf("%v: rights %X, %v, today %v", a, rights.rights, err, c.Today())
		}
		message := []byte("challenge")
		sig, err := SignMessage(a, p.signer(t, "XOIS00001"), message)
		if err != nil {
			t.Fatal(err)
		}
		if err := key.Verify(message, sig); err != nil {
			t.Errorf("%v: %v", a, err)
		}
		sig[len(sig)-1]++
		if err := key.Verify(message, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%v: a wrong signature: %v", a, err)
		}
		if err := key.Verify(message, make([]byte, len(sig))); !errors.Is(err, ErrSignature) { // J_33, J_34
			t.Errorf("%v: zeros: %v", a, err)
		}
		if err := key.Verify(message, bytes.Repeat([]byte{0xFF}, len(sig))); !errors.Is(err, ErrSignature) { // J_32
			t.Errorf("%v: above the modulus: %v", a, err)
		}
	}
}

// TestRights is the AND over the chain, whoever of it lacks a right (L_5 to L_8, K_5, K_6).
func TestRights(t *testing.T) {
	p := newPKI(t, ECDSASHA256)
	from, to := day(2026, 2, 3), day(2026, 3, 3)
	for _, dv := range [][]int{{}, {ReadDG3}, {ReadDG4}, {ReadDG3, ReadDG4}} {
		for _, is := range [][]int{{}, {ReadDG3}, {ReadDG4}, {ReadDG3, ReadDG4}} {
			c := NewChain([]TrustPoint{p.cvca.TrustPoint()}, from)
			err := show(c, p.sign(t, "XOCVCA00001", "XODV00002", NewCHAT(InspectionSystem, DVDomestic, dv...), from, to),
				p.sign(t, "XODV00002", "XOIS00002", NewCHAT(InspectionSystem, TerminalRole, is...), from, to))
			if err != nil {
				t.Fatal(err)
			}
			_, rights, err := c.Terminal("XOIS00002")
			has := func(list []int, bit int) bool {
				for _, b := range list {
					if b == bit {
						return true
					}
				}
				return false
			}
			for _, bit := range []int{ReadDG3, ReadDG4} {
				if want := has(dv, bit) && has(is, bit); err != nil || rights.Has(bit) != want {
					t.Errorf("DV %v, IS %v: right %d is %v, %v", dv, is, bit, rights.Has(bit), err)
				}
			}
		}
	}
}

// TestChainRefuses shows what must not be believed (J_2, J_3, J_30 to J_56).
func TestChainRefuses(t *testing.T) {
	p := newPKI(t, ECDSASHA256)
	other := newPKI(t, ECDSASHA256)
	today := day(2026, 2, 2)
	all := NewCHAT(InspectionSystem, CVCA).AllRights()
	role := func(r Role) CHAT { c := all; c.Role = r; return c }
	from, to := day(2026, 2, 1), day(2026, 3, 1)
	is := p.terminal
	damaged := *p.dv
	damaged.Signature = append(bytes.Clone(p.dv.Signature[:63]), p.dv.Signature[63]+1)
	short := *p.dv
	short.Signature = p.dv.Signature[:63]
	for name, list := range map[string][]*Certificate{
		"unknown authority (J_2)":            {other.sign(t, "XXCVCA00001", "XODV00001", role(DVDomestic), from, to)},
		"another key of the name (J_3)":      {other.dv},
		"signature + 1 (J_30)":               {&damaged},
		"short signature (J_31)":             {&short},
		"CVCA -> IS (J_43)":                  {p.sign(t, "XOCVCA00001", "XOIS00009", role(TerminalRole), from, to)},
		"domestic DV -> CVCA (J_44)":         {p.dv, p.sign(t, "XODV00001", "XOCVCA00009", all, from, to)},
		"foreign DV -> CVCA (J_45)":          {p.foreign, p.sign(t, "XPDV00001", "XOCVCA00009", all, from, to)},
		"domestic -> domestic DV (J_46)":     {p.dv, p.sign(t, "XODV00001", "XODV00009", role(DVDomestic), from, to)},
		"domestic -> foreign DV (J_47)":      {p.dv, p.sign(t, "XODV00001", "XPDV00009", role(DVForeign), from, to)},
		"foreign -> domestic DV (J_48)":      {p.foreign, p.sign(t, "XPDV00001", "XODV00009", role(DVDomestic), from, to)},
		"foreign -> foreign DV (J_49)":       {p.foreign, p.sign(t, "XPDV00001", "XPDV00009", role(DVForeign), from, to)},
		"IS -> foreign DV (J_50)":            {p.dv, is, p.sign(t, "XOIS00001", "XPDV00009", role(DVForeign), from, to)},
		"IS -> domestic DV (J_51)":           {p.dv, is, p.sign(t, "XOIS00001", "XODV00009", role(DVDomestic), from, to)},
		"IS -> IS (J_52)":                    {p.dv, is, p.sign(t, "XOIS00001", "XOIS00009", role(TerminalRole), from, to)},
		"IS -> CVCA (J_53)":                  {p.dv, is, p.sign(t, "XOIS00001", "XOCVCA00009", all, from, to)},
		"CVCA -> CVCA -> IS (J_54)":          {p.link, p.sign(t, "XOCVCA00002", "XOIS00009", role(TerminalRole), from, day(2027, 1, 1))},
		"the order turned round":             {p.terminal},
		"another kind of terminal":           {p.sign(t, "XOCVCA00001", "XODV00009", NewCHAT(AuthenticationTerminal, DVDomestic), from, to)},
		"the DV's key after the terminal's":  {p.dv, is, p.dv, p.dv, is, is},
		"a key over no curve, below RSA CVs": {newPKI(t, RSAv15SHA256).sign(t, "XOCVCA00001", "XODV00001", role(DVDomestic), from, to)},
	} {
		c := NewChain([]TrustPoint{p.cvca.TrustPoint()}, today)
		err := show(c, list...)
		if !errors.Is(err, ErrChain) && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.Import(p.dv); !errors.Is(err, ErrChain) { // no key is chosen (J_35)
			t.Errorf("%s: after it: %v", name, err)
		}
	}
}

// TestDates lets only the chip's own state move its date (J_11, M_1, M_2), and refuses
// what has ended before it.
func TestDates(t *testing.T) {
	p := newPKI(t, ECDSASHA256)
	begin := day(2026, 1, 1)
	for name, c := range map[string]struct {
		show []*Certificate
		want Date
	}{
		"domestic DV (M_2)":          {[]*Certificate{p.dv}, day(2026, 2, 1)},
		"domestic IS (M_1)":          {[]*Certificate{p.dv, p.terminal}, day(2026, 2, 3)},
		"foreign DV":                 {[]*Certificate{p.foreign}, begin},
		"IS below foreign DV (J_11)": {[]*Certificate{p.foreign, p.is}, begin},
		"link":                       {[]*Certificate{p.link}, day(2026, 6, 1)},
	} {
		chain := NewChain([]TrustPoint{p.cvca.TrustPoint()}, begin)
		if err := show(chain, c.show...); err != nil || chain.Today() != c.want {
			t.Errorf("%s: %v, today %v", name, err, chain.Today())
		}
	}
	chain := NewChain([]TrustPoint{p.cvca.TrustPoint()}, day(2026, 8, 2))
	if err := show(chain, p.dv); !errors.Is(err, ErrExpired) || chain.Today() != day(2026, 8, 2) {
		t.Errorf("a DV that has ended: %v", err)
	}
	chain = NewChain([]TrustPoint{p.cvca.TrustPoint()}, day(2026, 8, 1))
	if err := show(chain, p.dv); err != nil {
		t.Errorf("on its last day: %v", err)
	}
	// A bad certificate moves nothing (J_25 to J_31).
	forged := *p.dv
	forged.Signature = make([]byte, 64)
	chain = NewChain([]TrustPoint{p.cvca.TrustPoint()}, begin)
	if err := show(chain, &forged); err == nil || chain.Today() != begin {
		t.Errorf("forged: %v, today %v", err, chain.Today())
	}
}

// TestLinks replaces trust points by link certificates, one after another (M_3 to M_5),
// one that has ended among them.
func TestLinks(t *testing.T) {
	p := newPKI(t, ECDSASHA256)
	all := p.cvca.CHAT
	third := p.sign(t, "XOCVCA00002", "XOCVCA00003", all, day(2028, 1, 1), day(2031, 1, 1))
	chain := NewChain([]TrustPoint{p.cvca.TrustPoint()}, day(2030, 1, 1))
	if err := show(chain, p.link, third); err != nil {
		t.Fatal(err)
	}
	points := chain.TrustPoints()
	if len(points) != 2 || points[0].Name != "XOCVCA00002" || points[1].Name != "XOCVCA00003" {
		t.Errorf("%v", points)
	}
	if err := chain.Choose("XOCVCA00001"); !errors.Is(err, ErrChain) {
		t.Errorf("the first key is trusted still: %v", err)
	}
	dv := p.sign(t, "XOCVCA00003", "XODV00003", p.dv.CHAT, day(2030, 1, 1), day(2030, 3, 1))
	if err := show(chain, dv); err != nil {
		t.Error(err)
	}
}

func TestPath(t *testing.T) {
	p := newPKI(t, ECDSASHA256)
	lot := []*Certificate{p.terminal, p.is, p.foreign, p.dv, p.link, p.cvca}
	path, err := Path(lot, []Reference{"XOCVCA00009", "XOCVCA00001"}, "XOIS00001")
	if err != nil || len(path) != 2 || path[0] != p.dv || path[1] != p.terminal {
		t.Errorf("%v, %v", path, err)
	}
	viaLink := p.sign(t, "XOCVCA00002", "XODV00005", p.dv.CHAT, day(2026, 6, 2), day(2026, 9, 1))
	is := p.sign(t, "XODV00005", "XOIS00005", p.terminal.CHAT, day(2026, 6, 3), day(2026, 7, 1))
	path, err = Path(append(lot, is, viaLink), []Reference{"XOCVCA00001"}, "XOIS00005")
	if err != nil || len(path) != 3 || path[0] != p.link {
		t.Errorf("%v, %v", path, err)
	}
	if _, err := Path(lot, []Reference{"XODV00001"}, "XPIS00001"); !errors.Is(err, ErrChain) {
		t.Errorf("no way: %v", err)
	}
}

func TestRequests(t *testing.T) {
	for _, a := range []Algorithm{ECDSASHA256, ECDSASHA512, RSAPSSSHA256} {
		key, old := newSigner(t, a), newSigner(t, a)
		r, err := NewRequest("XOCVCA00001", "XODV00002", a, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Verify(); err != nil || r.Holder != "XODV00002" || r.Authority != "XOCVCA00001" || r.Outer != "" {
			t.Errorf("%v: %+v, %v", a, r, err)
		}
		full, err := r.Countersign("XODV00001", a, old)
		if err != nil {
			t.Fatal(err)
		}
		oldKey, _ := NewPublicKey(a, old.Public())
		newKey, _ := NewPublicKey(a, key.Public())
		if full.Verify() != nil || full.VerifyOuter(oldKey) != nil || full.Outer != "XODV00001" {
			t.Errorf("%v: %+v", a, full)
		}
		if err := full.VerifyOuter(newKey); !errors.Is(err, ErrSignature) {
			t.Errorf("%v: outer signature by another key: %v", a, err)
		}
		if err := r.VerifyOuter(oldKey); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v: no outer signature: %v", a, err)
		}
		if _, err := full.Countersign("X", a, old); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v: twice: %v", a, err)
		}
	}
}

func TestCVCAFile(t *testing.T) {
	for _, names := range [][]Reference{{"XOCVCA00001"}, {"XOCVCA00002", "XOCVCA00001"}} {
		raw := EncodeCVCA(names...)
		got, err := ParseCVCA(raw)
		if err != nil || len(raw) != 36 || len(got) != len(names) || got[0] != names[0] {
			t.Errorf("%X: %v, %v", raw, got, err)
		}
	}
	for _, raw := range [][]byte{nil, make([]byte, 36), {0x42, 0x20, 'A'}, {0x42, 0, 0}, append(EncodeCVCA("A"), 1), {0x43, 1, 'A'}} {
		if names, err := ParseCVCA(raw); !errors.Is(err, ErrMalformed) || names != nil {
			t.Errorf("%X: %v, %v", raw, names, err)
		}
	}
}

// TestZeroCHAT has no encoding, and gives no right.
func TestZeroCHAT(t *testing.T) {
	if b := (CHAT{}).Bytes(); b != nil || (CHAT{}).Has(0) {
		t.Errorf("%X", b)
	}
}
