package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/picture"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// sampleReport is a report whose every part is filled, with nothing left to chance.
func sampleReport(verdict Verdict, changes ...Check) *Report {
	p, _ := PolicyByName("checkpoint")
	list := with(changes...)
	for i := range list {
		list[i].Spec = "ICAO 9303"
	}
	return &Report{
		Verdict: verdict, Policy: p, Checks: list, At: time.Date(2026, 7, 1, 19, 0, 0, 0, time.FixedZone("+7", 7*3600)),
		Document: Document{
			Card: CardID{1, 2, 3}, Type: "ID", State: "VNM", Profile: "vn-cccd-2021", Groups: []int{1, 2, 13}, Read: []int{1, 2, 13},
			Hash: "SHA-256", Signer: strings.Repeat("aa", 32), CSCA: strings.Repeat("bb", 32), Store: strings.Repeat("cc", 32),
		},
		Session: &Session{Access: "PACE-CAN", APDUs: 112, BytesIn: 24_000, BytesOut: 5_000},
		identity: Identity{
			DocumentNumber: "190000017", Number: "003190000017", Surname: "NGUYEN", Given: "THI THU NGHIEM", Name: "Nguyễn Thị Thử Nghiệm",
			Birth: "1990-02-15", Sex: "F", Nationality: "VNM", Expiry: "2030-02-15", Fields: []Field{{"residence", "1 Phố Mẫu"}},
		},
	}
}

func TestJSONGolden(t *testing.T) {
	for name, r := range map[string]*Report{
		"accept.json": sampleReport(Accept, Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}),
		"refuse.json": sampleReport(Refuse, Check{ID: CheckAA, Outcome: Failed, Reason: ReasonChipKeyMismatch}),
		"refer.json":  sampleReport(Refer, Check{ID: CheckChain, Outcome: Undetermined, Reason: ReasonCSCAUnknown}),
	} {
		b, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, b)
	}
	for _, c := range paCases(t) {
		if c.ID == "ok-lds18" || c.ID == "bad-dg1-changed" {
			b, err := judgeOne(t, c.files(t), c.options(t)).JSON()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "judge-"+c.ID+".json", b)
		}
	}
}

// hostile is text that no screen and no JSON may show as it is.
const hostile = "A\x1b[2J\x07\u202eB\u2066C\u200bD\u0085E\u2028F<script>\x7f\xffG\U000e0041"

func TestJSONEscapesEverythingHostile(t *testing.T) {
	r := sampleReport(Accept)
	r.identity.Surname, r.identity.Fields[0].Value = hostile, hostile
	r.Document.State, r.Checks[3].Detail = hostile, hostile
	b, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range string(bytes.ReplaceAll(b, []byte("\n"), nil)) {
		if !unicode.IsPrint(c) {
			t.Errorf("%U stands unescaped", c)
		}
	}
	var back struct {
		Identity struct{ Surname string } `json:"identity"`
	}
	if err := json.Unmarshal(b, &back); err != nil || back.Identity.Surname != strings.ToValidUTF8(hostile, "\ufffd") {
		t.Errorf("%q, %v", back.Identity.Surname, err)
	}
}

func TestEscape(t *testing.T) {
	for _, s := range []string{"Nguyễn Thị Thử Nghiệm", "Ðặng-O'Brien (x)", "日本", ""} {
		if Escape(s) != s {
			t.Errorf("%q is changed to %q", s, Escape(s))
		}
	}
	for _, c := range Escape(hostile) {
		if !unicode.IsPrint(c) {
			t.Errorf("%U is left", c)
		}
	}
	if got := Escape("a\xffb"); got != `a\xffb` {
		t.Errorf("%q", got)
	}
	if got := Escape("a\ufffdb"); got != "a\ufffdb" {
		t.Errorf("%q", got)
	}
}

// officers is a report as a checkpoint makes it: opened with the CAN, with lists, and with
// things that were not checked.
func officers(verdict Verdict, changes ...Check) *Report {
	r := sampleReport(verdict, append(changes,
		Check{ID: CheckRelay, Claim: Original, Outcome: NotRun, Reason: ReasonRelay},
		Check{ID: "lds.dg3", Claim: Integrity, Outcome: NotRun, Reason: ReasonGroupProtected},
		Check{ID: CheckPrint, Outcome: NotRun, Reason: ReasonPrintCAN},
	)...)
	r.Chain.List = &cert.CRL{ThisUpdate: r.At.AddDate(0, 0, -5)}
	r.status = &statusAnswer{StatusAnswer: StatusAnswer{State: StateActive, AsOf: r.At.Add(-3 * time.Hour), Source: "status-2026.idx"}}
	return r
}

// What an officer sees of a card that is accepted, refused and referred, in both languages.
func TestRenderGolden(t *testing.T) {
	reports := map[string]*Report{
		"accept": officers(Accept, Check{ID: CheckOutlived, Outcome: Failed, Reason: ReasonOutlived}),
		"refuse": officers(Refuse, Check{ID: CheckAA, Outcome: Failed, Reason: ReasonChipKeyMismatch}),
		"refer":  officers(Refer, Check{ID: CheckChain, Outcome: Undetermined, Reason: ReasonCSCAUnknown}),
		"all":    sampleReport(Accept),
	}
	reports["all"].Specimen = true
	for name, r := range reports {
		for _, l := range []Lang{English, Vietnamese} {
			if name == "all" && l == English {
				continue
			}
			var b bytes.Buffer
			if err := r.Render(&b, l, RenderOptions{All: name == "all", Elapsed: 1234 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+string(l)+".txt", b.Bytes())
		}
	}
}

// No line is wider than a terminal of eighty columns, whatever the reason.
func TestRenderFitsTheScreen(t *testing.T) {
	fits := func(c Check) {
		r := sampleReport(Refuse, c)
		for _, l := range []Lang{English, Vietnamese} {
			var b bytes.Buffer
			if err := r.Render(&b, l, RenderOptions{}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if n := runes(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		}
	}
	for _, reason := range Reasons() {
		fits(Check{ID: CheckChain, Outcome: Failed, Reason: reason})
		fits(Check{ID: CheckHolder, Outcome: NotRun, Reason: reason})
	}
	for _, k := range catalogue {
		fits(Check{ID: k.id, Claim: k.claim, Outcome: Failed, Reason: ReasonCertCritical})
	}
}

func TestRenderShowsNothingUnprovenAndNothingHostile(t *testing.T) {
	r := sampleReport(Refuse, Check{ID: "lds.dg1", Outcome: Failed, Reason: ReasonGroupHash})
	r.identity.Name = "Who Knows"
	var b bytes.Buffer
	if err := r.Render(&b, English, RenderOptions{All: true, Portrait: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "Who Knows") || strings.Contains(b.String(), "003190000017") {
		t.Error("unproven data are shown")
	}
	r = sampleReport(Accept)
	r.identity.Name, r.identity.Number, r.Checks[2].Detail = hostile, hostile, hostile
	b.Reset()
	if err := r.Render(&b, English, RenderOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(strings.ReplaceAll(b.String(), "\n", ""), unicode.IsControl) || strings.ContainsRune(b.String(), '\u202e') {
		t.Errorf("%q", b.String())
	}
}

func TestPortrait(t *testing.T) {
	r := sampleReport(Accept)
	r.portrait = &lds.Face{Image: testPortrait(t)}
	for _, colours := range []bool{false, true} {
		var b bytes.Buffer
		if err := r.Render(&b, English, RenderOptions{Portrait: true, Colours: colours, Columns: 24}); err != nil {
			t.Fatal(err)
		}
		if colours && strings.Count(b.String(), "▀") != 24*16 || !colours && !strings.Contains(b.String(), "####") {
			t.Errorf("no portrait:\n%s", b.String())
		}
	}
	bomb := slices.Clone(r.portrait.Image)
	at := bytes.Index(bomb, []byte{0xFF, 0xC0}) // the frame header claims 65,535 × 65,535
	copy(bomb[at+5:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	for name, img := range map[string][]byte{
		"bomb": bomb, "garbage": []byte("no image"), "empty": nil, "large": make([]byte, picture.MaxOctets+1),
		"JPEG 2000": {0, 0, 0, 12, 'j', 'P', ' ', ' ', 13, 10, 0x87, 10},
	} {
		r.portrait = &lds.Face{Image: img}
		var b bytes.Buffer
		if err := r.Render(&b, Vietnamese, RenderOptions{Portrait: true}); err != nil || !strings.Contains(b.String(), picture.ErrPicture.Error()) {
			t.Errorf("%s: %v\n%s", name, err, b.String())
		}
	}
	r = sampleReport(Refuse, Check{ID: CheckChain, Outcome: Failed, Reason: ReasonChainForged})
	r.portrait = &lds.Face{Image: testPortrait(t)}
	if _, _, err := r.Portrait(); !errors.Is(err, ErrUnproven) {
		t.Error("a portrait that nobody vouches for")
	}
}

func TestReasonsSayWhatIsMissing(t *testing.T) {
	r := sampleReport(Refer, Check{ID: CheckStatus, Outcome: NotRun, Reason: ReasonStatusNotAsked})
	if got := r.Reasons(); !slices.Equal(got, []Reason{ReasonStatusNotAsked}) {
		t.Error(got)
	}
	r = sampleReport(Refer, Check{ID: "lds.dg2", Outcome: NotRun, Reason: ReasonGroupNotRead})
	if got := r.Reasons(); !slices.Equal(got, []Reason{ReasonGroupNotRead}) {
		t.Error(got)
	}
}

// A chip that was asked one way is not said to have been asked none.
func TestChipThatWasAsked(t *testing.T) {
	other := Check{ID: CheckCA1, Outcome: NotRun, Reason: ReasonChipNotAsked}
	for _, c := range []struct {
		v   Verdict
		own Check
		why []Reason
	}{
		{Refuse, Check{ID: CheckAA, Outcome: Failed, Reason: ReasonChipKeyMismatch}, []Reason{ReasonChipKeyMismatch}},
		{Refer, Check{ID: CheckAA, Outcome: Undetermined, Reason: ReasonChipKeyUncovered}, []Reason{ReasonChipKeyUncovered}},
		{Refer, Check{ID: CheckAA, Outcome: NotRun, Reason: ReasonChipNotAsked}, []Reason{ReasonChipNotAsked}},
	} {
		r := sampleReport(c.v, c.own, other)
		if got := r.Reasons(); !slices.Equal(got, c.why) {
			t.Errorf("%+v: %v", c.own, got)
		}
		if list := r.Unchecked(); slices.ContainsFunc(list, func(c Check) bool { return c.ID == CheckCA1 }) {
			t.Errorf("%+v: %v", c.own, list)
		}
	}
}
