package perso

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
)

// rig is a desk with one chip, a journal that outlives its crashes, and an issuer who
// counts signatures.
type rig struct {
	chip       *virtual.Chip
	limits     apdu.Limits
	journal    journal
	aa, ca     *dh.Curve
	transport  []gp.Keys
	signatures map[[32]byte]int // by what was signed
	verified   int
	badAuth    int // 6300 seen on the wire
	driver     *Driver
	imports    bool
	progress   []Progress
}

func newRig() *rig {
	return &rig{
		chip: virtual.New(virtual.Config{}), aa: dh.P256(), ca: dh.BrainpoolP256r1(),
		transport: []gp.Keys{gp.TransportKeys()}, signatures: map[[32]byte]int{},
	}
}

const (
	mrzInformation = "190000017490021553002153" // of the example in the notes on Vietnam's card
	canDigits      = "000017"
)

// errCrash is a process that ends.
var errCrash = errors.New("crash")

// journal keeps records. At its crash-th record from the start of the run it fails, before
// keeping it or after.
type journal struct {
	records []Record
	signed  *Content
	n       int
	crash   int
	after   bool

	attempts []int // as recorded
}

func (j *journal) Record(_ context.Context, r Record) error {
	if r.Act == issuance.Attempt {
		j.attempts = append(j.attempts, r.Attempt)
		return nil
	}
	j.n++
	crash := j.n == j.crash
	if crash && !j.after {
		return errCrash
	}
	j.records = append(j.records, r)
	if crash {
		return errCrash
	}
	return nil
}

func (j *journal) state() State {
	var s State
	to := map[issuance.Act]issuance.Phase{
		issuance.Allocate: issuance.Allocated, issuance.Rotate: issuance.Rotating, issuance.Generate: issuance.Keyed,
		issuance.Prepare: issuance.Prepared, issuance.Sign: issuance.Signed, issuance.Write: issuance.Writing,
		issuance.WriteDone: issuance.Written, issuance.Lock: issuance.Locking, issuance.LockDone: issuance.Locked,
	}
	for _, r := range j.records {
		s.Phase, s.Chip = to[r.Act], r.Chip
		if r.Act == issuance.Generate {
			s.AA, s.CA = r.AA, r.CA
		}
	}
	if s.reached(issuance.Signed) {
		s.Signed = j.signed
	}
	return s
}

func (j *journal) count(a issuance.Act) int {
	n := 0
	for _, r := range j.records {
		if r.Act == a {
			n++
		}
	}
	return n
}

// pull is a reader from which the card is taken at its n-th command: before the command
// reaches the chip, or after it, with the answer lost.
type pull struct {
	rig   *rig
	n, at int
	after bool
	alter func(n int, command, answer []byte) []byte
}

func (p *pull) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	p.n++
	if p.at > 0 && (p.n > p.at || p.n == p.at && !p.after) {
		return nil, apdu.ErrRemoved
	}
	a, err := p.rig.chip.Exchange(ctx, b)
	if err != nil || p.at > 0 && p.n == p.at {
		return nil, apdu.ErrRemoved
	}
	if bytes.Equal(a, []byte{0x63, 0x00}) {
		p.rig.badAuth++
	}
	if p.alter != nil {
		a = p.alter(p.n, b, a)
	}
	return a, nil
}

// run inserts the card and personalises it with what the journal says.
func (r *rig) run(t *testing.T, p *pull) error {
	t.Helper()
	p.rig = r
	r.chip.Reset()
	return Run(t.Context(), apdu.Over(p, r.limits), r.order(p), &r.journal, r.journal.state())
}

func (r *rig) order(w apdu.Wire) Order {
	return Order{
		Transport: r.transport,
		Issuer: func(d gp.KDD) (gp.Keys, error) {
			return gp.Diversify([]byte("an issuer's 32 octet master key."), d, 0x31)
		},
		AA: r.aa, CA: r.ca, Driver: r.driver, Import: r.imports, TestCard: true,
		Build:    r.build,
		Verify:   func(ctx context.Context) error { return r.stranger(ctx, w) },
		Progress: func(p Progress) { r.progress = append(r.progress, p) },
	}
}

// build is the caller's part: prepare once, sign once.
func (r *rig) build(ctx context.Context, k PublicKeys) (*Content, error) {
	if r.driver == nil || r.driver.NamesKeys {
		if err := proven(k); err != nil {
			return nil, err
		}
	}
	c := content(k)
	if r.driver != nil {
		fit(c, r.driver, k)
	}
	if !r.journal.state().reached(issuance.Prepared) {
		if err := r.journal.Record(ctx, Record{Act: issuance.Prepare, Chip: k.Chip}); err != nil {
			return nil, err
		}
	}
	r.signatures[sha256.Sum256(c.Files[lds.SODFile])]++
	r.journal.signed = c
	if err := r.journal.Record(ctx, Record{Act: issuance.Sign, Chip: k.Chip}); err != nil {
		return nil, err
	}
	return c, nil
}

// proven looks at the chip's evidence for its keys as a signer elsewhere does.
func proven(k PublicKeys) error {
	keys, err := gp.Diversify([]byte("an issuer's 32 octet master key."), k.Chip, 0x31)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		point *dh.Point
		proof *gp.Evidence
		ref   gp.KeyRef
	}{
		{k.AA, k.AAEvidence, gp.KeyRef{Use: gp.Signature, Reference: gp.KeyAA}},
		{k.CA, k.CAEvidence, gp.KeyRef{Use: gp.Agreement, Reference: gp.KeyCA}},
	} {
		if c.point == nil {
			continue
		}
		id, _ := c.point.Curve().ID()
		c.ref.Curve = byte(id)
		point, err := c.proof.PublicKey(keys, c.ref)
		if err != nil {
			return err
		}
		if kdd, err := c.proof.KDD(); err != nil || kdd != k.Chip || !bytes.Equal(point, c.point.Bytes()) {
			return fmt.Errorf("evidence of another key or chip: %w", err)
		}
	}
	return nil
}

var (
	oidPACE  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2} // ECDH-GM, AES-128
	oidCA    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2} // ECDH, AES-128
	oidPKEC  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidPlain = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3} // ECDSA plain, SHA-256
)

// content is a document over a chip's keys, the same for the same keys. The security
// object stands for one: a list of hashes.
func content(k PublicKeys) *Content {
	must := func(b []byte, err error) []byte {
		if err != nil {
			panic(err)
		}
		return b
	}
	key := func(p *dh.Point) cert.PublicKey {
		pub, err := cert.NewPublicKey(p)
		if err != nil {
			panic(err)
		}
		return pub
	}
	pace := lds.PACEInfo{OID: oidPACE, Version: 2, ParameterID: 13}
	infos := lds.SecurityInfos{PACE: []lds.PACEInfo{pace}}
	access := must(lds.EncodeSecurityInfos(infos))
	files := map[lds.File][]byte{
		lds.CardAccess: access,
		lds.COM:        tlv.Encode(0x60, []byte("what the card holds")),
		lds.DG1:        tlv.Encode(0x61, bytes.Repeat([]byte("<"), 90)),
		lds.DG2:        tlv.Encode(0x75, bytes.Repeat([]byte("portrait"), 120)),
		lds.DG13:       tlv.Encode(0x6D, bytes.Repeat([]byte("national"), 40)),
	}
	if k.AA != nil {
		files[lds.DG15] = tlv.Encode(0x6F, must(cert.MarshalPublicKey(k.AA, false)))
		infos.Active = []lds.ActiveAuthInfo{{Version: 1, Algorithm: oidPlain}}
	}
	if k.CA != nil {
		infos.Chip = []lds.ChipAuthInfo{{OID: oidCA, Version: 1, KeyID: big.NewInt(1)}}
		infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: oidPKEC, Key: key(k.CA), KeyID: big.NewInt(1)}}
	}
	files[lds.DG14] = tlv.Encode(0x6E, must(lds.EncodeSecurityInfos(infos)))
	var hashes []byte
	for f := lds.DG1; f <= lds.DG16; f++ {
		if b := files[f]; b != nil {
			h := sha256.Sum256(b)
			hashes = append(hashes, h[:]...)
		}
	}
	files[lds.SODFile] = tlv.Encode(0x77, hashes)
	mrz := auth.MRZ(mrzInformation)
	return &Content{
		Files:   files,
		BACSeed: must(mrz.BACSeed()),
		PACEMRZ: must(mrz.PACESecret()),
		PACECAN: must(auth.CAN(canDigits).PACESecret()),
		Rules:   gp.Rules{BAC: true, NoSelectMF: true},
	}
}

// fit makes a content for what a driver's chips can do.
func fit(c *Content, d *Driver, k PublicKeys) {
	if d.Agreement != nil {
		infos := lds.SecurityInfos{
			PACE:     []lds.PACEInfo{{OID: oidPACE, Version: 2, ParameterID: 13}},
			Chip:     []lds.ChipAuthInfo{{OID: d.Agreement, Version: 1}},
			ChipKeys: []lds.ChipAuthPublicKey{{OID: oidPKEC, Key: cert.PublicKey{EC: k.CA}}},
		}
		b, err := lds.EncodeSecurityInfos(infos)
		if err != nil {
			panic(err)
		}
		c.Files[lds.DG14] = tlv.Encode(0x6E, b)
	}
	if d.NoCAN {
		c.PACECAN = nil
	}
	if d.NoRules { // of the families of files
		c.BAC = &MRZFields{Document: "190000017", Birth: "900215", Expiry: "300215"}
		c.Rules = gp.Rules{}
	}
}

// forDriver is a rig with a driver's blank chip.
func forDriver(t *testing.T, name string) *rig {
	t.Helper()
	d, err := DriverByName(name)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig()
	r.driver = d
	dialect, ok := virtual.ParseDialect(name)
	if !ok || dialect.String() != name {
		t.Fatalf("no chip of dialect %s", name)
	}
	r.chip = virtual.New(virtual.Config{Dialect: dialect})
	if d.Extended {
		r.limits = apdu.Limits{Command: 600, Response: 600}
		r.chip.Limit(r.limits)
	}
	if d.AA == NoKey {
		r.aa, r.imports = nil, true
	}
	if d.Curves != nil {
		r.ca = dh.P256()
	}
	return r
}

// stranger looks at the card as its holder's first checkpoint will: by PACE with the CAN,
// through a new power cycle.
func (r *rig) stranger(ctx context.Context, w apdu.Wire) error {
	r.chip.Reset()
	password := auth.CAN(canDigits)
	if r.driver != nil && r.driver.NoCAN {
		password = auth.MRZ(mrzInformation)
	}
	s, err := card.Open(ctx, apdu.Over(w, r.limits), card.Options{Passwords: []auth.Password{password}})
	if err != nil {
		return err
	}
	defer s.Close()
	want := r.journal.state().Signed
	for _, f := range slices.Backward(lds.Files()) {
		b := want.Files[f]
		if b == nil || f == lds.CardAccess {
			continue
		}
		got, err := s.ReadFile(ctx, f, nil)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, b) {
			return fmt.Errorf("%s differs", f)
		}
	}
	if err := r.proveAA(ctx, s, want); err != nil {
		return err
	}
	if r.ca != nil {
		infos, err := lds.ParseDG14(want.Files[lds.DG14])
		if err != nil {
			return err
		}
		if _, err := s.Chip1(ctx, infos.ChipAuthKeys()[0], lds.DG1); err != nil {
			return err
		}
	}
	r.verified++
	return nil
}

func (r *rig) proveAA(ctx context.Context, s *card.Session, want *Content) error {
	if r.aa == nil {
		return nil
	}
	value, _ := tlv.Find(want.Files[lds.DG15], 0x6F)
	pub, err := cert.ParsePublicKey(value)
	if err != nil {
		return err
	}
	_, err = s.Active(ctx, pub, crypto.SHA256)
	return err
}

// issuedOnce checks what must hold after every accident and its repair. That the files are
// octet for octet those signed, and the keys those in them, a stranger has verified after
// the lock.
func (r *rig) issuedOnce(t *testing.T) {
	t.Helper()
	s := r.journal.state()
	switch {
	case s.Phase != issuance.Locked:
		t.Errorf("the journal says %q", s.Phase)
	case !r.chip.InUse():
		t.Error("the chip is open")
	case r.verified == 0:
		t.Error("nobody looked at the card")
	}
	if n := r.journal.count(issuance.Sign); n != 1 {
		t.Errorf("%d signatures recorded", n)
	}
	if len(r.signatures) != 1 {
		t.Errorf("%d different documents signed", len(r.signatures))
	}
	if n := r.journal.count(issuance.Allocate); n != 1 {
		t.Errorf("allocated %d times", n)
	}
	if n := r.journal.count(issuance.LockDone); n != 1 {
		t.Errorf("locked %d times", n)
	}
	if r.badAuth > 0 {
		t.Errorf("%d failed EXTERNAL AUTHENTICATE", r.badAuth)
	}
	if n := r.journal.count(issuance.Prepare); n != 1 {
		t.Errorf("prepared %d times", n)
	}
	switch {
	case r.driver == nil:
		r.refusesEveryKey(t)
	case r.driver.Reopens:
		r.refusesTransportKeys(t)
	}
}

// refusesTransportKeys sees that the finished card knows the issuer's keys only.
func (r *rig) refusesTransportKeys(t *testing.T) {
	t.Helper()
	r.chip.Reset()
	link := apdu.Over(r.chip, apdu.Limits{})
	if _, err := link.Transmit(t.Context(), apdu.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: aidDomain}); err != nil {
		t.Fatal(err)
	}
	h, err := gp.Initialize(t.Context(), link, gp.Start{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Held(r.transport...); !errors.Is(err, gp.ErrCryptogram) {
		t.Errorf("transport keys: %v", err)
	}
}

// refusesEveryKey tries to personalise the finished card.
func (r *rig) refusesEveryKey(t *testing.T) {
	t.Helper()
	for _, version := range []byte{0x00, 0x30, 0x31, 0x01, 0xFF} {
		r.chip.Reset()
		_, err := gp.Initialize(t.Context(), apdu.Over(r.chip, apdu.Limits{}), gp.Start{Version: version})
		if !errors.Is(err, apdu.ConditionsNotSatisfied) {
			t.Errorf("INITIALIZE UPDATE for version %02X: %v", version, err)
		}
	}
}
