package abis_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/osia/abis/simulator"
	"github.com/tamthe/tamthe/issuance/osia/osiatest"
)

var now = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// picture is one of many that look unlike each other.
func picture(t testing.TB, seed uint64, quality int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var grey [16 * 17]uint8
	for i := range grey {
		grey[i] = uint8(r.IntN(16) * 16)
	}
	m := image.NewGray(image.Rect(0, 0, 340, 320))
	for i := range m.Pix {
		m.Pix[i] = color.Gray{Y: grey[i/340/20*17+i%340/20]}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every operation that this office calls is what the contract has, and does what it says, where
// the register answers at once.
func TestOperations(t *testing.T) {
	contract := osiatest.New(t, "abis")
	web := httptest.NewServer(contract.Handler((&simulator.Simulator{Token: "t"}).Handler()))
	t.Cleanup(web.Close)
	c := &abis.Client{URL: web.URL, Token: "t", Gallery: "cards"}
	ctx := t.Context()
	ask := func(op abis.Op, person, app string) abis.Question {
		q, _ := abis.NewQuestion(app, person, [32]byte{1}, op, now)
		return q
	}
	for range 2 { // what is there is put in its place
		for i, person := range []string{"P-1", "P-2"} {
			if r, err := c.Insert(ctx, ask(abis.Insert, person, "A-"+person), "", picture(t, uint64(i), 90)); err != nil || r.Task != "" {
				t.Fatal(r, err)
			}
		}
	}
	r, err := c.Identify(ctx, ask(abis.Identify, "P-9", "A-9"), "", picture(t, 1, 50))
	if err != nil {
		t.Fatal(err)
	}
	list, err := abis.Candidates(r.Answer)
	if err != nil || len(list) != 1 || list[0].Person != "P-2" || list[0].Encounter != "A-P-2" {
		t.Errorf("%+v, %v", list, err)
	}
	for person, want := range map[string]bool{"P-1": false, "P-2": true} {
		if got, err := c.Verify(ctx, "t", person, picture(t, 1, 70)); err != nil || got != want {
			t.Errorf("verify %s: %v, %v", person, got, err)
		}
	}
	if _, err := c.Verify(ctx, "t", "P-3", picture(t, 1, 70)); !errors.Is(err, abis.ErrUnknown) {
		t.Errorf("verify whom nobody knows: %v", err)
	}
	if g, err := c.Galleries(ctx, "t"); err != nil || !slices.Equal(g, []string{"cards"}) {
		t.Errorf("galleries: %v, %v", g, err)
	}
	for range 2 { // what is not there is forgotten
		if _, err := c.Delete(ctx, ask(abis.Delete, "P-2", "A-P-2"), ""); err != nil {
			t.Error(err)
		}
	}
	q := ask(abis.Identify, "P-9", "A-9")
	q.Task = "no-such-task"
	if _, err := c.Status(ctx, q); !errors.Is(err, abis.ErrUnknown) {
		t.Errorf("status: %v", err)
	}
	if err := c.Redeliver(ctx, q); !errors.Is(err, abis.ErrUnknown) {
		t.Errorf("redeliver: %v", err)
	}
	refused, isRefused := errors.AsType[*abis.RefusedError](identify(ctx, &abis.Client{URL: web.URL, Token: "guess", Gallery: "cards"}, picture(t, 1, 50)))
	if !isRefused || refused.Status != http.StatusForbidden {
		t.Errorf("another token: %v", refused)
	}
	if err := identify(ctx, c, []byte("no picture")); err == nil {
		t.Error("what is no picture is looked for")
	}
	for _, op := range []string{"createEncounter", "updateEncounter", "deleteEncounter", "identify", "verifyFromId", "readGalleries", "readTaskStatus", "redeliverTaskResult"} {
		if len(contract.Seen(op)) == 0 {
			t.Errorf("%s was not called", op)
		}
	}
}

func identify(ctx context.Context, c *abis.Client, picture []byte) error {
	q, _ := abis.NewQuestion("A-9", "P-9", [32]byte{1}, abis.Identify, now)
	_, err := c.Identify(ctx, q, "", picture)
	return err
}

// What answers badly answers nothing.
func TestBadAnswers(t *testing.T) {
	for what, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"nobody":                  {200, `[]`, nil},
		"somebody":                {200, `[{"personId":"P-1","rank":1,"score":1.5}]`, nil},
		"no score":                {200, `[{"personId":"P-1","rank":1}]`, abis.ErrAnswer},
		"a name with a space":     {200, `[{"personId":"P 1","rank":1,"score":1}]`, abis.ErrAnswer},
		"a long name":             {200, `[{"personId":"` + strings.Repeat("P", 129) + `","rank":1,"score":1}]`, abis.ErrAnswer},
		"null":                    {200, `null`, abis.ErrAnswer},
		"a page":                  {200, `<html>`, abis.ErrAnswer},
		"two":                     {200, `[][]`, abis.ErrAnswer},
		"many":                    {200, "[" + strings.Repeat(`{"personId":"P-1","rank":1,"score":1},`, 500) + `{"personId":"P-1","rank":1,"score":1}]`, abis.ErrAnswer},
		"too long":                {200, strings.Repeat(" ", abis.MaxAnswer) + "[]", abis.ErrAnswer},
		"done without an answer":  {204, "", abis.ErrAnswer},
		"later, without a name":   {202, `{}`, abis.ErrAnswer},
		"later, nobody can know":  {202, `{"taskId":"a b"}`, abis.ErrAnswer},
		"elsewhere":               {302, "", abis.ErrAnswer},
		"no such gallery":         {404, "", abis.ErrUnknown},
		"out of order":            {500, `{"code":1,"message":"x"}`, abis.ErrUnavailable},
		"too much":                {429, "", abis.ErrUnavailable},
		"a message of the server": {400, `{"code":7,"message":"\u001b[31m"}`, &abis.RefusedError{}},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		}))
		err := identify(t.Context(), &abis.Client{URL: web.URL, Token: "t", Gallery: "cards"}, []byte("p"))
		web.Close()
		if _, refused := c.want.(*abis.RefusedError); refused { //nolint:errorlint // it is what the table says
			if e, ok := errors.AsType[*abis.RefusedError](err); !ok || e.Code != 7 || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", what, err)
		}
	}
	web := httptest.NewServer(http.NotFoundHandler())
	web.Close()
	if err := identify(t.Context(), &abis.Client{URL: web.URL}, nil); !errors.Is(err, abis.ErrUnavailable) || strings.Contains(err.Error(), web.URL) {
		t.Errorf("down: %v", err)
	}
}

// Whatever comes is candidates or none.
func FuzzCandidates(f *testing.F) {
	f.Add([]byte(`[{"personId":"P-1","rank":1,"score":1.5,"scores":[{"encounterId":"A-1","score":1}]}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := abis.Candidates(b)
		if err != nil && (list != nil || !errors.Is(err, abis.ErrAnswer)) {
			t.Errorf("%v with %v", list, err)
		}
		for _, c := range list {
			if c.Person == "" {
				t.Error("a candidate without a name")
			}
		}
	})
}
