package desk

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/dataset"
	"github.com/tamthe/tamthe/verify/status"
)

// released is a data set in the hands of whoever got it.
type released struct {
	file []byte
	rows []dataset.Row
	says dataset.Description
	text []string // every value that stands anywhere in it
}

// busyMonth has two offices take many applications and hand out some cards, and publishes it.
func (r *rig) busyMonth(t *testing.T) (numbers []vn.Number, d released) {
	t.Helper()
	ctx := t.Context()
	var cards []string
	for n := range 150 {
		e := enrolment(n)
		e.Person.Birth.Year = []int{1950, 1975, 1990, 1996}[n/2%4]
		e.Person.Number = vn.Number(fmt.Sprintf("0031%02d%06d", e.Person.Birth.Year%100, n))
		e.Reason = []string{"first", "first", "unit"}[n%3]
		numbers = append(numbers, e.Person.Number)
		r.an.Place = []string{here, "hue"}[n%2]
		app := must(r.an.Enrol(ctx, e))(t)
		r.an.Place = here
		switch {
		case n < 8:
			check(t, r.binh.Approve(ctx, app))
			c := blank()
			card := r.personalised(t, app, c, r.plan())
			r.checked(t, card, c)
			check(t, r.binh.Deliver(ctx, card, Handover{}))
			cards = append(cards, card)
		case n%4 < 2:
			check(t, r.binh.Reject(ctx, app, "documents"))
		}
		if n%40 == 39 {
			r.now = r.now.AddDate(0, 0, 1)
		}
	}
	check(t, r.binh.Revoke(ctx, cards[0], "stolen"))
	list := must(r.binh.MakeStatus(ctx, status.Header{Sort: status.Exact, Country: "VN", Documents: []string{"I"}, URI: statusURI, NextUpdate: r.now.AddDate(0, 1, 0)}, nil))(t)
	check(t, os.WriteFile(r.path("pki", "cards.status"), list, 0o600))
	check(t, r.an.MakeCRL(ctx, 90))
	r.now = time.Date(2026, 10, 1, 8, 0, 0, 0, r.now.Location())
	return numbers, r.release(t)
}

func (r *rig) release(t *testing.T) released {
	t.Helper()
	var out bytes.Buffer
	o := DatasetOptions{
		From: time.Date(2026, 9, 1, 0, 0, 0, 0, r.now.Location()), To: time.Date(2026, 9, 30, 0, 0, 0, 0, r.now.Location()),
		Ages: true, Origin: origin, Tool: "v0.0.0-test",
	}
	_, result, err := r.an.WriteDataset(t.Context(), &out, o)
	check(t, err)
	d := released{file: out.Bytes()}
	d.says = must(dataset.Read(bytes.NewReader(d.file), int64(len(d.file)), func(row dataset.Row) error {
		d.rows = append(d.rows, row)
		return nil
	}))(t)
	if result.Rows != int64(len(d.rows)) || result.Rows < 200 {
		t.Fatalf("%+v", result)
	}
	seen := map[string]bool{}
	for _, r := range d.rows {
		for _, v := range []string{r.Office, r.Document, r.Act, r.Cause, r.Why, r.Register, r.Days, r.InTerm, r.Age} {
			seen[v] = true
		}
	}
	var leaves func(v any)
	leaves = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, w := range v {
				seen[name] = true
				leaves(w)
			}
		case []any:
			for _, w := range v {
				leaves(w)
			}
		default:
			seen[fmt.Sprint(v)] = true
		}
	}
	var says any
	check(t, json.Unmarshal(must(json.Marshal(d.says))(t), &says))
	leaves(says)
	delete(seen, "")
	for v := range seen {
		d.text = append(d.text, v)
	}
	slices.Sort(d.text)
	return d
}

// hay is where an attacker looks for a digest: the file, all values in it, and what these are
// when they are read as hexadecimal digits or base64.
func (d released) hay(more ...string) (raw map[uint64]bool, text map[[16]byte]bool) {
	raw, text = map[uint64]bool{}, map[[16]byte]bool{}
	add := func(b []byte) {
		for i := range b {
			if i+8 <= len(b) {
				raw[binary.BigEndian.Uint64(b[i:])] = true
			}
			if i+16 <= len(b) {
				text[[16]byte(b[i:])] = true
			}
		}
	}
	add(d.file)
	for _, v := range slices.Concat(d.text, more) {
		add([]byte(v))
		if b, err := hex.DecodeString(v); err == nil {
			add(b)
		}
		if b, err := base64.StdEncoding.DecodeString(v); err == nil {
			add(b)
		}
	}
	return raw, text
}

// finds reports whether a digest, or the first 64 bits of it, lies there in any form.
func finds(raw map[uint64]bool, text map[[16]byte]bool, digest []byte) bool {
	var lower, encoded [24]byte
	hex.Encode(lower[:], digest[:12])
	base64.StdEncoding.Encode(encoded[:], digest[:15])
	return raw[binary.BigEndian.Uint64(digest)] || text[[16]byte(lower[:16])] || text[[16]byte(bytes.ToUpper(lower[:16]))] || text[[16]byte(encoded[:16])]
}

// enumerate tries numbers: plain digests, and digests keyed, salted and peppered with values.
func enumerate(numbers func(func(string) bool), keys []string, raw map[uint64]bool, text map[[16]byte]bool) (found []string) {
	plain := []func() hash.Hash{sha256.New, sha1.New, md5.New, sha512.New}
	var keyed []hash.Hash
	for _, k := range keys {
		keyed = append(keyed, hmac.New(sha256.New, []byte(k)))
		if b, err := hex.DecodeString(k); err == nil {
			keyed = append(keyed, hmac.New(sha256.New, b))
		}
	}
	for n := range numbers {
		hit := false
		for _, h := range plain {
			h := h()
			h.Write([]byte(n))
			hit = hit || finds(raw, text, h.Sum(nil))
		}
		for _, h := range keyed {
			h.Reset()
			h.Write([]byte(n))
			hit = hit || finds(raw, text, h.Sum(nil))
		}
		for _, k := range keys {
			for _, salted := range []string{k + n, n + k} {
				sum := sha256.Sum256([]byte(salted))
				hit = hit || finds(raw, text, sum[:])
			}
		}
		if hit {
			found = append(found, n)
		}
	}
	return found
}

// What leaves the office as data is about nobody.
func TestReleasedData(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	numbers, d := r.busyMonth(t)
	t.Run("enumeration", func(t *testing.T) { enumerationAttack(t, numbers, d) })
	t.Run("linkage", func(t *testing.T) { linkageAttack(t, r, d) })
	if again := r.release(t); !bytes.Equal(again.file, d.file) {
		t.Error("another time it is another file")
	}
}

// Twelve digits are few: a million a province, sex and year. Whoever tries them all, in every
// way that what stands in the file allows, finds nobody; where one number's keyed digest is
// put into the file, they find it.
func enumerationAttack(t *testing.T, numbers []vn.Number, d released) {
	for _, n := range numbers {
		for _, v := range append(d.text, string(d.file)) {
			if strings.Contains(v, string(n)) || strings.Contains(v, string(n[6:])) {
				t.Fatalf("a number is in the file")
			}
		}
	}
	var keys []string // but for the words that are in every file of this schema
	for _, v := range d.text {
		if len(v) < 80 {
			keys = append(keys, v)
		}
	}
	real := func(yield func(string) bool) {
		for _, n := range numbers {
			if !yield(string(n)) {
				return
			}
		}
	}
	all := func(yield func(string) bool) { // of women of 1990
		for n := range 1_000_000 {
			if !yield(fmt.Sprintf("003190%06d", n)) {
				return
			}
		}
	}
	raw, text := d.hay()
	if found := enumerate(real, keys, raw, text); len(found) > 0 {
		t.Errorf("found %d people under one of %d keys", len(found), len(keys))
	}
	of := []string(nil) // the short form tries those numbers with every key, all others plainly
	if os.Getenv("TAMTHE_SOAK") != "" {
		of = []string{d.says.Provenance.Root, d.says.Provenance.Origin, d.says.Provenance.Office, d.says.Schema}
	}
	if found := enumerate(all, of, raw, text); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	mac := hmac.New(sha256.New, []byte(d.says.Provenance.Root))
	mac.Write([]byte(numbers[7]))
	raw, text = d.hay(hex.EncodeToString(mac.Sum(nil)))
	if found := enumerate(real, keys, raw, text); !slices.Equal(found, []string{string(numbers[7])}) {
		t.Errorf("the attack finds %v where %s is planted", found, numbers[7])
	}
	t.Logf("%d rows, %d values: nobody of a million", len(d.rows), len(d.text))
}

// names are what public and other artefacts call cards, cases, acts and keys by: all of the
// log, the lists and certificates that were published, and a receipt.
func (r *rig) names(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	octets := func(what string, b []byte) {
		names[string(b)], names[hex.EncodeToString(b)], names[base64.StdEncoding.EncodeToString(b)] = what, what, what
	}
	word := func(what, v string) {
		if len(v) < 8 || v == origin {
			return
		}
		names[v] = what
		if b, err := hex.DecodeString(v); err == nil {
			octets(what, b)
		}
	}
	check(t, r.store.Entries(t.Context(), 0, func(_ int64, leaf, payload []byte) error {
		e, err := issuance.ParseEntry(leaf, payload)
		check(t, err)
		h := issuance.LeafHash(leaf)
		octets("leaf hash", h[:])
		octets("entry", e.ID[:])
		word("stream", e.Stream.ID)
		word("operator", e.Operator.String())
		word("time", e.Time.Format(time.RFC3339Nano))
		word("time", fmt.Sprint(e.Time.UnixMicro()))
		word("time", e.Time.Format("15:04:05"))
		octets("time", binary.LittleEndian.AppendUint64(nil, uint64(e.Time.UnixMicro())))
		for name, v := range e.Fields {
			if !slices.Contains([]string{"doctype", "reason", "outcome", "desk"}, name) { // what columns tell
				word(name, v)
			}
		}
		for name, c := range e.Commitments {
			octets(name, c[:])
		}
		for _, c := range slices.Concat(e.Claims, e.Hold) {
			word(string(c.Kind), c.Value)
			for part := range strings.SplitSeq(c.Value, ":") {
				word(string(c.Kind), part)
			}
		}
		for _, a := range e.Attach {
			octets(a.Name, a.Digest[:])
		}
		return nil
	}))
	check(t, fs.WalkDir(os.DirFS(r.path("pki")), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b := must(os.ReadFile(filepath.Join(r.path("pki"), path)))(t)
		for i := 0; i+16 <= len(b); i += 4 { // any sixteen octets of a list or certificate
			if part := b[i : i+16]; bytes.Count(part, part[:1]) < 12 {
				names[string(part)] = path
			}
		}
		return nil
	}))
	return names
}

// Who has a card, its receipt, the published log, the lists of revoked cards and certificates
// finds no row by any name in them; what the log tells of an act fits at least K rows or none,
// and no row among them tells the age.
func linkageAttack(t *testing.T, r *rig, d released) {
	names := r.names(t)
	// The root of the tree names the whole log, not an act.
	delete(names, d.says.Provenance.Root)
	haystack := append(slices.Clone(d.text), string(d.file))
	if found := linked(names, haystack); len(found) > 0 || len(names) < 5_000 {
		t.Errorf("of %d names these are in the file: %q", len(names), found)
	}
	cards := must(r.store.List(t.Context(), issuance.KindCard))(t)
	if found := linked(names, append(haystack, "x"+cards[3].Stream.ID)); len(found) != 1 {
		t.Errorf("one name is planted, and the attack finds %q", found)
	}
	told, withheld := 0, 0
	check(t, r.an.Events(t.Context(), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Facts{}, func(e Event) error {
		fits := matching(d.rows, e)
		ages := map[string]bool{}
		for _, row := range fits {
			ages[row.Age] = true
		}
		switch {
		case len(fits) == 0:
			withheld++
		case len(fits) < dataset.K:
			t.Errorf("%+v fits %d rows", e, len(fits))
		case len(ages) == 1 && !ages[dataset.Any] && (!ages[""] || e.Act == "enrol"):
			t.Errorf("%+v is of age %v", e, ages)
		default:
			told++
		}
		return nil
	}))
	if told < 200 || withheld == 0 {
		t.Errorf("%d acts fit rows, %d are withheld", told, withheld)
	}
	t.Logf("%d names of artefacts are in no row; %d acts fit %d rows or more each, %d fit none", len(names), told, dataset.K, withheld)
}

// linked lists the names that stand somewhere.
func linked(names map[string]string, haystack []string) (found []string) {
	for name, what := range names {
		if slices.ContainsFunc(haystack, func(v string) bool { return strings.Contains(v, name) }) {
			found = append(found, what+" "+name)
		}
	}
	return found
}

// matching are the rows that an act may be.
func matching(rows []dataset.Row, e Event) (list []dataset.Row) {
	w := e.row()
	day := int32(e.Day.Unix() / (24 * 60 * 60))
	for _, r := range rows {
		fits := r.Act == w.Act && r.Document == w.Document && (r.Day == 0 || r.Day == day)
		for _, v := range [][2]string{{r.Office, w.Office}, {r.Cause, w.Cause}, {r.Why, w.Why}, {r.Register, w.Register}, {r.InTerm, w.InTerm}} {
			fits = fits && (v[0] == v[1] || v[0] == dataset.Any)
		}
		if fits {
			list = append(list, r)
		}
	}
	return list
}
