package verify

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// soak says whether the long form runs: all eight bits of each octet.
func soak() bool { return os.Getenv("TAMTHE_SOAK") != "" }

// element is a TLV inside a file: where it begins, where its content does and where it ends.
type element struct {
	path            []int // of child numbers from the outermost
	start, at, end  int
	lastLengthOctet int
}

// elements lists every TLV of a DER file, outermost first. Constructed ones are entered,
// the octet strings of eContent and extensions are not.
func elements(b []byte) []element {
	var list []element
	var walk func(from, to int, path []int)
	walk = func(from, to int, path []int) {
		for n := 0; from+2 <= to; n++ {
			e := element{path: append(slices.Clone(path), n), start: from, lastLengthOctet: from + 1}
			i := from + 1
			if b[from]&0x1f == 0x1f { // a tag of two octets
				i++
			}
			length := int(b[i])
			e.lastLengthOctet = i
			if length == 0x80 {
				return
			}
			if length > 0x80 {
				k := length - 0x80
				length = 0
				for range k {
					i++
					if i >= to {
						return
					}
					length = length<<8 | int(b[i])
				}
				e.lastLengthOctet = i
			}
			e.at, e.end = i+1, i+1+length
			if e.end > to {
				return
			}
			list = append(list, e)
			if b[from]&0x20 != 0 {
				walk(e.at, e.end, e.path)
			}
			from = e.end
		}
	}
	walk(0, len(b), nil)
	return list
}

// place names what lies at an offset of a SOD, and says why nothing hangs on it; known is
// false where something does.
func place(sod []byte, offset int) (name, why string, known bool) {
	var path []int
	all := elements(sod)
	for _, e := range all {
		if e.start <= offset && offset < e.end {
			path = e.path
		}
	}
	last := 0 // number of the signerInfos in SignedData
	for _, e := range all {
		if len(e.path) == 4 && slices.Equal(e.path[:3], []int{0, 0, 1}) && e.path[3] == 0 {
			continue
		}
		if len(e.path) == 5 && slices.Equal(e.path[:4], []int{0, 0, 1, 0}) {
			last = e.path[4]
		}
	}
	if len(path) < 5 || !slices.Equal(path[:4], []int{0, 0, 1, 0}) {
		return fmt.Sprint(path), "", false
	}
	in := func(prefix ...int) bool {
		return len(path) > 4+len(prefix)-1 && slices.Equal(path[4:4+len(prefix)], prefix)
	}
	switch {
	case in(1):
		return "digestAlgorithms", "a hint for readers of a stream (RFC 5652 §5.1); the signer's own algorithm is used", true
	case last == 4 && in(3, 0, 1, 1):
		return "certificate: parameters of the outer signature algorithm", "unsigned; NULL and others are read alike, the algorithm itself must be the signed one", true
	case last == 4 && in(3, 0, 2):
		return "certificate: unused bits of the signature", "the signature's octets are the same", true
	case in(last, 0, 1):
		return "sid", "says which certificate to try; names are compared without case and string type, the key decides", true
	case in(last, 0, 2, 1):
		return "digestAlgorithm: parameters", "NULL, nothing and others are read alike (RFC 5754 §2)", true
	case in(last, 0, 4, 1):
		return "signatureAlgorithm: parameters", "of RSA with PKCS #1 there are none but NULL; they are read alike", true
	}
	return fmt.Sprint(path), "", false
}

// mutation is one changed file.
type mutation struct {
	offset int
	what   string
	octets []byte
}

// mutations changes each octet, each length by one, cuts and inserts.
func mutations(b []byte) []mutation {
	var list []mutation
	masks := []byte{1, 32}
	if soak() {
		masks = []byte{1, 2, 4, 8, 16, 32, 64, 128}
	}
	for i := range b {
		for _, m := range masks {
			c := slices.Clone(b)
			c[i] ^= m
			list = append(list, mutation{i, fmt.Sprintf("^%02x", m), c})
		}
	}
	for _, e := range elements(b) {
		for _, d := range []byte{1, 0xff} {
			c := slices.Clone(b)
			c[e.lastLengthOctet] += d
			list = append(list, mutation{e.lastLengthOctet, "length", c})
		}
		list = append(list, mutation{e.start, "cut", slices.Clone(b[:e.start])}, mutation{e.at, "cut", slices.Clone(b[:e.at])})
		list = append(list, mutation{e.at, "insert", slices.Insert(slices.Clone(b), e.at, 0)})
		list = append(list, mutation{e.start, "insert", slices.Insert(slices.Clone(b), e.start, 0)})
	}
	return append(list, mutation{len(b), "append", append(slices.Clone(b), 0)})
}

// mutated judges every mutation of the files and returns how many there were and which
// were accepted.
func mutated(t *testing.T, id string, files Files, names []lds.File, o Options, step int) (n int, accepted map[string][]int, why map[string]string) {
	t.Helper()
	whole := judgeOne(t, files, o)
	if whole.Verdict != Accept {
		t.Fatalf("%s: %v %v", id, whole.Verdict, whole.Reasons())
	}
	accepted, why = map[string][]int{}, map[string]string{}
	for _, f := range names {
		for i, m := range mutations(files[f]) {
			if i%step != 0 {
				continue
			}
			n++
			changed := maps.Clone(files)
			changed[f] = m.octets
			r, err := JudgeFiles(context.Background(), changed, o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != Accept {
				continue
			}
			where, because, known := "", "", false
			if f == lds.SODFile {
				where, because, known = place(files[f], m.offset)
			}
			if !known || r.Document.Card != whole.Document.Card {
				t.Errorf("%s: %s, octet %d (%s, %s): accepted", id, f, m.offset, m.what, where)
				continue
			}
			why[where] = because
			if !slices.Contains(accepted[where], m.offset) {
				accepted[where] = append(accepted[where], m.offset)
			}
		}
	}
	return n, accepted, why
}

// TestMutationTrial changes sound cards in every octet and length, cuts and inserts. None
// is accepted, but where the octet carries no meaning.
func TestMutationTrial(t *testing.T) {
	long(t)
	var table, places strings.Builder
	for _, id := range []string{"ok-rsa-pkcs1", "ok-ecdsa-bp256-explicit", "ok-signer-in-store"} {
		c := paCases(t)[slices.IndexFunc(paCases(t), func(c paCase) bool { return c.ID == id })]
		files := c.files(t)
		n, accepted, why := mutated(t, id, files, []lds.File{lds.DG1, lds.SODFile}, c.options(t), 1)
		count := 0
		for _, where := range slices.Sorted(maps.Keys(accepted)) {
			count += len(accepted[where])
			fmt.Fprintf(&places, "| %s | %s | %s | %s |\n", id, spans(accepted[where]), where, why[where])
		}
		fmt.Fprintf(&table, "| %s | DG1, EF.SOD with its certificate | %d | %d |\n", id, n, count)
		if id == "ok-signer-in-store" {
			n, count := mutatedSigner(t, c)
			fmt.Fprintf(&table, "| %s | the signer's certificate in the trust folder | %d | %d |\n", id, n, count)
		}
	}
	o := newOffice(t, "CSCA")
	s := o.usual()
	opts := o.options("archive")
	mutated(t, "P-256, Vietnam", s.files, []lds.File{lds.DG1, lds.DG14, lds.DG15, lds.SODFile}, opts, 1)
	for name, resign := range suites(t) {
		step := 11
		if soak() {
			step = 1
		}
		resign(o, s)
		mutated(t, name, s.files, []lds.File{lds.DG14, lds.DG15, lds.SODFile}, opts, step)
	}
	table.WriteString("| a card of ours, P-256, keys new each time | DG1, DG14, DG15, EF.SOD | some thousands | the same places |\n| the same under RSA-PSS, P-384 and brainpoolP512r1 | DG14, DG15, EF.SOD | every eleventh (all in `make soak`) | the same places |\n")
	if soak() {
		return // more bits are accepted at the same places
	}
	trial(t, "Mutations", "Each octet with one or two bits changed (all eight in `make soak`), each length ± 1, cuts and inserted octets at each TLV.\nOctets that a SOD is accepted without, though they changed, are listed below with the reason; the card's name stays the same.\n\n"+
		"| card | file | mutations | octets without meaning |\n|---|---|---|---|\n"+table.String()+"\n| card | octets | what it is | why nothing hangs on it |\n|---|---|---|---|\n"+places.String())
}

// suites sign the same card with other keys.
func suites(t *testing.T) map[string]func(*office, *specimen) {
	with := func(key crypto.Signer, alg cert.Algorithm) func(*office, *specimen) {
		return func(o *office, s *specimen) {
			tpl := o.dsTemplate
			tpl.PublicKey, tpl.SubjectKeyID = key.Public(), nil
			x, err := lds.ParseSOD(s.files[lds.SODFile])
			o.must(err)
			signed, err := cms.Sign(cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: x.Signed.Content, Certificate: o.certificate(tpl), Algorithm: alg}, key)
			o.must(err)
			s.files[lds.SODFile] = lds.WrapSOD(signed)
		}
	}
	pss, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := dh.P384().Generate()
	if err != nil {
		t.Fatal(err)
	}
	bp512, err := dh.BrainpoolP512r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(*office, *specimen){
		"RSA-PSS":         with(pss, cert.Algorithm{Scheme: cert.RSAPSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32}),
		"P-384":           with(p384, cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA384}),
		"brainpoolP512r1": with(bp512, cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA512}),
	}
}

// mutatedSigner changes the signer's certificate where the operator keeps it, as it is not
// in the document.
func mutatedSigner(t *testing.T, c paCase) (n, accepted int) {
	list, octets := mutations(unhex(t, c.SignerStore[0])), map[int]bool{}
	for _, m := range list {
		x, err := cert.Parse(m.octets)
		if err != nil {
			continue
		}
		anchor, err := cert.Parse(unhex(t, c.Trust[0]))
		if err != nil {
			t.Fatal(err)
		}
		o := c.options(t)
		o.Trust = pki.NewStore([]pki.Material{{Cert: anchor, Source: "case"}, {Cert: x, Source: "case"}}, nil, nil)
		if judgeOne(t, c.files(t), o).Verdict != Accept {
			continue
		}
		octets[m.offset] = true
		if !meaningless(unhex(t, c.SignerStore[0]), m.offset) {
			t.Errorf("%s: signer's certificate, octet %d (%s): accepted", c.ID, m.offset, m.what)
		}
	}
	return len(list), len(octets)
}

// meaningless says whether an octet of a certificate is a parameter of the outer algorithm
// or the count of unused bits.
func meaningless(der []byte, offset int) bool {
	for _, e := range elements(der) {
		if slices.Equal(e.path, []int{0, 1, 1}) && e.start <= offset && offset < e.end || slices.Equal(e.path, []int{0, 2}) && offset == e.at {
			return true
		}
	}
	return false
}

// spans writes numbers as 3, 5–8.
func spans(list []int) string {
	slices.Sort(list)
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if i == j {
			out = append(out, fmt.Sprint(list[i]))
		} else {
			out = append(out, fmt.Sprintf("%d–%d", list[i], list[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ", ")
}
