package credential

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tamthe/tamthe/verify"
)

const (
	issuerURL = "https://eid.example"
	audience  = "https://shop.example"
)

var (
	now     = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	theCard = verify.CardRef{ID: verify.CardID{7}}
	told    = map[string]string{"name": "Lê Thị Thử <&>", "birth": "1990-02-15", "age_over_18": "true", "document_expiry": "2031-02-15"}
)

// memory is a Store.
type memory struct{ all []Issued }

func (m *memory) Keep(_ context.Context, i Issued) error {
	if slices.ContainsFunc(m.all, func(o Issued) bool { return o.Place == i.Place }) {
		return ErrTaken
	}
	m.all = append(m.all, i)
	return nil
}

func (m *memory) Count(_ context.Context, list int) (n int, _ error) {
	for _, i := range m.all {
		if i.Place.List == list {
			n++
		}
	}
	return n, nil
}

func (m *memory) List(_ context.Context, list int, f func(Issued) error) error {
	for _, i := range m.all {
		if i.Place.List == list {
			if err := f(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// word is what the cards' issuer says.
type word struct {
	state verify.State
	vague bool
	err   error
}

func (w *word) Status(context.Context, verify.CardRef) (verify.StatusAnswer, error) {
	return verify.StatusAnswer{State: w.state, Exact: !w.vague}, w.err
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// world is an issuer, a holder with a credential, and a verifier.
type world struct {
	key, holder *ecdsa.PrivateKey
	now         time.Time
	card        *word
	store       *memory
	issuer      *Issuer
	text        string
	held        *Held
	verifier    *Verifier
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{key: newKey(t), holder: newKey(t), now: now, card: &word{state: verify.StateActive}, store: &memory{}}
	clock := func() time.Time { return w.now }
	var err error
	if w.issuer, err = New(Config{URL: issuerURL, Key: w.key, Store: w.store, Status: w.card, Now: clock}); err != nil {
		t.Fatal(err)
	}
	if w.text, err = w.issuer.Issue(t.Context(), Subject{Fields: told, Level: "possession", Expiry: "2031-02-15", Card: theCard}, jose.JSONWebKey{Key: w.holder.Public()}); err != nil {
		t.Fatal(err)
	}
	if w.held, err = ParseHeld(w.text); err != nil {
		t.Fatal(err)
	}
	keys, err := w.issuer.Keys()
	if err != nil {
		t.Fatal(err)
	}
	w.verifier = &Verifier{Audience: audience, Issuers: map[string][]byte{issuerURL: keys}, Now: clock, Status: func(ctx context.Context, uri string) (string, error) {
		if uri != issuerURL+"/credential/status/0" {
			return "", errors.New("no such list")
		}
		return w.issuer.StatusToken(ctx, 0)
	}}
	return w
}

func (w *world) present(t testing.TB, nonce string, fields ...string) string {
	t.Helper()
	p, err := w.held.Present(w.holder, audience, nonce, fields, w.now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A holder shows some fields and no others, and the verifier knows whose card it was.
func TestPresent(t *testing.T) {
	w := newWorld(t)
	nonce := w.verifier.Nonce()
	p := w.present(t, nonce, "age_over_18", "name")
	for _, hidden := range []string{"1990-02-15", "2031-02-15"} {
		if strings.Contains(decoded(p), hidden) {
			t.Errorf("%s is in the presentation", hidden)
		}
	}
	got, err := w.verifier.Take(t.Context(), p, nonce, "age_over_18")
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"age_over_18": true, "name": "Lê Thị Thử <&>"}; !maps.Equal(got.Fields, want) || got.Issuer != issuerURL || got.Type != Type {
		t.Errorf("%+v", got)
	}
	nonce = w.verifier.Nonce()
	if got, err = w.verifier.Take(t.Context(), w.present(t, nonce), nonce); err != nil || len(got.Fields) != 0 {
		t.Errorf("nothing disclosed: %v, %v", got, err)
	}
}

// decoded is all that can be read in a token or a presentation.
func decoded(text string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '~' || r == '.' }) {
		raw, err := b64.DecodeString(part)
		if err == nil {
			b.Write(raw)
		}
	}
	return b.String()
}

// Nothing of a credential tells how many fields it has, and no two are alike.
func TestDecoysAndSalts(t *testing.T) {
	w := newWorld(t)
	digests := w.held.claims["_sd"].([]any)
	if len(digests) != digestsOf {
		t.Errorf("%d digests", len(digests))
	}
	if !slices.IsSortedFunc(digests, func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) {
		t.Error("the order of the digests is that of the fields")
	}
	again, err := w.issuer.Issue(t.Context(), Subject{Fields: told, Level: "possession", Card: theCard}, jose.JSONWebKey{Key: w.holder.Public()})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeld(again)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range append(slices.Clone(digests), h.claims["_sd"].([]any)...) {
		if seen[d.(string)] {
			t.Error("a digest is in two credentials")
		}
		seen[d.(string)] = true
	}
	if w.store.all[0].Place == w.store.all[1].Place {
		t.Error("two credentials in one place")
	}
	for _, secret := range []string{"1990", "Lê", "true"} {
		token, _, _ := strings.Cut(again, "~")
		if strings.Contains(decoded(token), secret) {
			t.Errorf("the signed token tells %q", secret)
		}
	}
}

// A credential follows its card: suspended, in force again, revoked; and where nobody can say,
// it is not accepted.
func TestFollowsTheCard(t *testing.T) {
	w := newWorld(t)
	check := func(want Code) {
		t.Helper()
		w.now = w.now.Add(2 * listFresh)
		nonce := w.verifier.Nonce()
		if _, err := w.verifier.Take(t.Context(), w.present(t, nonce, "name"), nonce); CodeOf(err) != want {
			t.Errorf("%v: %v, want %q", w.card, err, want)
		}
	}
	for _, c := range []struct {
		state verify.State
		want  Code
	}{
		{verify.StateActive, ""},
		{verify.StateSuspended, CodeSuspended},
		{verify.StateActive, ""},
		{verify.StateUnknown, CodeSuspended},
		{verify.StateUndelivered, CodeSuspended},
		{verify.StateSuperseded, CodeRevoked},
		{verify.StateRevoked, CodeRevoked},
	} {
		w.card.state = c.state
		check(c.want)
	}
	w.card.state, w.card.vague = verify.StateActive, true
	check(CodeSuspended)
	w.card.vague, w.card.err = false, errors.New("the ledger is shut")
	check(CodeStatus)
	w.card.err = nil
	check("")
}

// A list that the issuer signed is good for a while and no longer.
func TestStatusTokenEnds(t *testing.T) {
	w := newWorld(t)
	token, err := w.issuer.StatusToken(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w.verifier.Status = func(context.Context, string) (string, error) { return token, nil }
	for _, c := range []struct {
		after time.Duration
		want  Code
	}{{0, ""}, {listLife - time.Second, ""}, {listLife + time.Second, CodeStatus}, {-time.Hour, CodeEarly}} {
		w.now = now.Add(c.after)
		if _, err := w.verifier.Verify(t.Context(), w.present(t, "n", "name"), "n"); CodeOf(err) != c.want {
			t.Errorf("after %v: %v", c.after, err)
		}
	}
}

// What is not active is issued no credential, and neither is a card that has ended.
func TestIssueRefuses(t *testing.T) {
	w := newWorld(t)
	holder := jose.JSONWebKey{Key: w.holder.Public()}
	for _, c := range []word{
		{state: verify.StateSuspended}, {state: verify.StateRevoked}, {state: verify.StateUnknown}, {state: verify.StateActive, vague: true}, {state: verify.StateActive, err: errors.New("shut")},
	} {
		*w.card = c
		if _, err := w.issuer.Issue(t.Context(), Subject{Fields: told, Card: theCard}, holder); CodeOf(err) != CodeNotInForce {
			t.Errorf("%+v: %v", c, err)
		}
	}
	*w.card = word{state: verify.StateActive}
	for _, end := range []string{"2026-11-25", "yesterday"} {
		if _, err := w.issuer.Issue(t.Context(), Subject{Fields: told, Expiry: end, Card: theCard}, holder); CodeOf(err) != CodeNotInForce {
			t.Errorf("%s: %v", end, err)
		}
	}
	text, err := w.issuer.Issue(t.Context(), Subject{Fields: told, Expiry: "2026-11-30", Card: theCard}, holder)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := ParseHeld(text); err != nil || h.Expires().After(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it outlives its card: %v, %v", h.Expires(), err)
	}
	if _, err := w.issuer.StatusToken(t.Context(), 1); CodeOf(err) != CodeUnknown {
		t.Error(err)
	}
	if _, err := w.issuer.StatusToken(t.Context(), maxLists); CodeOf(err) != CodeUnknown {
		t.Error(err)
	}
}

// The nonce is good for one presentation, for a while.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	nonce := w.verifier.Nonce()
	p := w.present(t, nonce, "name")
	if _, err := w.verifier.Take(t.Context(), p, nonce); err != nil {
		t.Fatal(err)
	}
	if _, err := w.verifier.Take(t.Context(), p, nonce); CodeOf(err) != CodeNonce {
		t.Errorf("replayed: %v", err)
	}
	if _, err := w.verifier.Take(t.Context(), p, w.verifier.Nonce()); CodeOf(err) != CodeNonce {
		t.Errorf("of another time: %v", err)
	}
	nonce = w.verifier.Nonce()
	w.now = w.now.Add(bindingLife + time.Second)
	if _, err := w.verifier.Take(t.Context(), w.present(t, nonce, "name"), nonce); CodeOf(err) != CodeNonce {
		t.Errorf("too late: %v", err)
	}
	for range maxNonces + 10 {
		w.verifier.Nonce()
	}
	if len(w.verifier.nonces) > maxNonces {
		t.Error("nonces without end")
	}
}

// resign makes a token of the type with these claims.
func resign(t testing.TB, key *ecdsa.PrivateKey, typ jose.ContentType, claims any) string {
	t.Helper()
	s, err := signerOf(key, typ, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := sign(s, claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forged is a presentation whose issuer's claims were changed before the issuer signed them,
// and whose key binding is right.
func (w *world) forged(t testing.TB, change func(claims map[string]any), disclosures ...string) string {
	t.Helper()
	c := maps.Clone(w.held.claims)
	change(c)
	return w.bind(t, resign(t, w.key, typeCredential, c), disclosures...)
}

// bind adds disclosures and a right key binding for the nonce n.
func (w *world) bind(t testing.TB, token string, disclosures ...string) string {
	t.Helper()
	shown := token + "~"
	for _, d := range disclosures {
		shown += d + "~"
	}
	return shown + resign(t, w.holder, typeBinding, w.binding(shown))
}

func (w *world) binding(shown string) map[string]any {
	return map[string]any{"iat": w.now.Unix(), "aud": audience, "nonce": "n", "sd_hash": digest(shown)}
}

func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b64.EncodeToString(b)
}

// Each way to cheat is refused by its code; the same presentation without it is accepted.
func TestForgeries(t *testing.T) {
	w := newWorld(t)
	token := w.held.token
	name := w.held.disclosures[slices.IndexFunc(w.held.disclosures, func(d disclosure) bool { return d.name == "name" })].text
	shown := token + "~" + name + "~"
	binding := func(change func(map[string]any)) string {
		c := w.binding(shown)
		change(c)
		return shown + resign(t, w.holder, typeBinding, c)
	}
	head := func(token string, alg string, typ string) string {
		_, rest, _ := strings.Cut(token, ".")
		return encode(t, map[string]string{"alg": alg, "typ": typ}) + "." + rest
	}
	unsigned := func(token string) string {
		body := strings.Split(token, ".")[1]
		return encode(t, map[string]string{"alg": "none", "typ": typeCredential}) + "." + body + "."
	}
	hmac := func() string { // signed with the issuer's public key for a secret
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 64))}, (&jose.SignerOptions{}).WithType(typeCredential))
		if err != nil {
			t.Fatal(err)
		}
		token, err := sign(s, w.held.claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	stranger := newKey(t)
	twice := func(c map[string]any) { c["_sd"] = append(slices.Clone(c["_sd"].([]any)), c["_sd"].([]any)[0]) }
	other := encode(t, []any{"c2FsdA", "name", "Somebody Else"})
	for label, c := range map[string]struct {
		presentation string
		want         Code
	}{
		"sound":                           {w.bind(t, token, name), ""},
		"sound, of another draft's type":  {w.bind(t, resign(t, w.key, typeOld, w.held.claims), name), ""},
		"a disclosure that was altered":   {w.bind(t, token, other), CodeDisclosure},
		"a disclosure shown twice":        {w.bind(t, token, name, name), CodeDisclosure},
		"a disclosure that is none":       {w.bind(t, token, "!"), CodeDisclosure},
		"a disclosure of a list element":  {w.bind(t, token, encode(t, []any{"c2FsdA", "x"})), CodeDisclosure},
		"a disclosure without a salt":     {w.forged(t, func(c map[string]any) { c["_sd"] = []any{digest(encode(t, []any{"", "name", "x"}))} }, encode(t, []any{"", "name", "x"})), CodeDisclosure},
		"a disclosure of who issued":      {w.forged(t, func(c map[string]any) { c["_sd"] = []any{digest(encode(t, []any{"c2FsdA", "iss", "x"}))} }, encode(t, []any{"c2FsdA", "iss", "x"})), CodeDisclosure},
		"a disclosure of the status":      {w.forged(t, func(c map[string]any) { c["_sd"] = []any{digest(encode(t, []any{"c2FsdA", "status", "x"}))} }, encode(t, []any{"c2FsdA", "status", "x"})), CodeDisclosure},
		"a disclosure with digests in it": {w.bind(t, token, encode(t, []any{"c2FsdA", "address", map[string]any{"_sd": []any{}}})), CodeDisclosure},
		"a name that stands there openly": {w.forged(t, func(c map[string]any) { c["name"] = "Somebody" }, name), CodeDisclosure},
		"a digest twice":                  {w.forged(t, twice, name), CodeDisclosure},
		"digests that are none":           {w.forged(t, func(c map[string]any) { c["_sd"] = "x" }, name), CodeMalformed},
		"digests deeper down":             {w.forged(t, func(c map[string]any) { c["x"] = map[string]any{"_sd": []any{}} }, name), CodeMalformed},
		"no digest of it":                 {w.forged(t, func(c map[string]any) { delete(c, "_sd") }, name), CodeDisclosure},
		"digests of SHA-512":              {w.forged(t, func(c map[string]any) { c["_sd_alg"] = "sha-512" }, name), CodeHash},
		"digests of MD5":                  {w.forged(t, func(c map[string]any) { c["_sd_alg"] = "md5" }, name), CodeHash},
		"digests of a number":             {w.forged(t, func(c map[string]any) { c["_sd_alg"] = 1 }, name), CodeHash},
		"digests of SHA-256 unsaid":       {w.forged(t, func(c map[string]any) { delete(c, "_sd_alg") }, name), ""},

		"alg none":                       {w.bind(t, unsigned(token), name), CodeAlgorithm},
		"another alg in the header":      {w.bind(t, head(token, "RS256", typeCredential), name), CodeAlgorithm},
		"a MAC for a signature":          {w.bind(t, hmac(), name), CodeAlgorithm},
		"a header that was changed":      {w.bind(t, head(token, "ES256", typeCredential), name), CodeSignature},
		"signed by another":              {w.bind(t, resign(t, stranger, typeCredential, w.held.claims), name), CodeSignature},
		"an assertion for a credential":  {w.bind(t, resign(t, w.key, "JWT", w.held.claims), name), CodeType},
		"a status list for a credential": {w.bind(t, resign(t, w.key, typeStatus, w.held.claims), name), CodeType},
		"another kind of credential":     {w.forged(t, func(c map[string]any) { c["vct"] = "urn:other" }, name), CodeType},
		"another issuer":                 {w.forged(t, func(c map[string]any) { c["iss"] = "https://evil.example" }, name), CodeIssuer},
		"no issuer":                      {w.forged(t, func(c map[string]any) { delete(c, "iss") }, name), CodeIssuer},
		"expired":                        {w.forged(t, func(c map[string]any) { c["exp"] = now.Add(-time.Hour).Unix() }, name), CodeExpired},
		"without an end":                 {w.forged(t, func(c map[string]any) { delete(c, "exp") }, name), CodeMalformed},
		"of tomorrow":                    {w.forged(t, func(c map[string]any) { c["iat"] = now.Add(time.Hour).Unix() }, name), CodeEarly},
		"not before tomorrow":            {w.forged(t, func(c map[string]any) { c["nbf"] = now.Add(time.Hour).Unix() }, name), CodeEarly},
		"for nobody's key":               {w.forged(t, func(c map[string]any) { delete(c, "cnf") }, name), CodeUnbound},
		"for a key of another kind":      {w.forged(t, func(c map[string]any) { c["cnf"] = map[string]any{"jwk": map[string]any{"kty": "oct", "k": "AAAA"}} }, name), CodeMalformed},
		"of a test card":                 {w.forged(t, func(c map[string]any) { c["specimen"] = true }, name), CodeSpecimen},
		"without a status":               {w.forged(t, func(c map[string]any) { delete(c, "status") }, name), CodeStatus},
		"of a status list elsewhere":     {w.forged(t, func(c map[string]any) { c["status"] = statusAt("https://evil.example/list", 1) }, name), CodeStatus},
		"beyond the list":                {w.forged(t, func(c map[string]any) { c["status"] = statusAt(issuerURL+"/credential/status/0", listSize) }, name), CodeStatus},
		"before the list":                {w.forged(t, func(c map[string]any) { c["status"] = statusAt(issuerURL+"/credential/status/0", -1) }, name), CodeStatus},

		"no key binding":               {shown, CodeUnbound},
		"bound by another key":         {shown + resign(t, stranger, typeBinding, w.binding(shown)), CodeBinding},
		"bound by the issuer":          {shown + resign(t, w.key, typeBinding, w.binding(shown)), CodeBinding},
		"a proof for a key binding":    {shown + resign(t, w.holder, typeProof, w.binding(shown)), CodeType},
		"a key binding with alg none":  {shown + encode(t, map[string]string{"alg": "none", "typ": typeBinding}) + "." + encode(t, w.binding(shown)) + ".", CodeAlgorithm},
		"for another audience":         {binding(func(c map[string]any) { c["aud"] = "https://other.example" }), CodeAudience},
		"for several audiences":        {binding(func(c map[string]any) { c["aud"] = []string{audience} }), CodeAudience},
		"with another nonce":           {binding(func(c map[string]any) { c["nonce"] = "m" }), CodeNonce},
		"without a nonce":              {binding(func(c map[string]any) { delete(c, "nonce") }), CodeNonce},
		"bound an hour ago":            {binding(func(c map[string]any) { c["iat"] = now.Add(-time.Hour).Unix() }), CodeTime},
		"bound in an hour":             {binding(func(c map[string]any) { c["iat"] = now.Add(time.Hour).Unix() }), CodeTime},
		"bound at no time":             {binding(func(c map[string]any) { delete(c, "iat") }), CodeTime},
		"bound to fewer disclosures":   {shown + resign(t, w.holder, typeBinding, w.binding(token+"~")), CodePresented},
		"a disclosure taken out":       {token + "~" + strings.TrimPrefix(binding(func(map[string]any) {}), shown), CodePresented},
		"a second key binding for one": {shown + w.held.token, CodeType},

		"nothing":                 {"", CodeMalformed},
		"no tilde":                {token, CodeMalformed},
		"no token":                {"~" + name + "~", CodeMalformed},
		"too long":                {strings.Repeat("a", maxPresentation) + "~", CodeMalformed},
		"too many disclosures":    {token + strings.Repeat("~"+name, maxDisclosures+1) + "~", CodeMalformed},
		"a name twice in a token": {w.bind(t, doubled(t, w), name), CodeMalformed},
	} {
		_, err := w.verifier.Verify(t.Context(), c.presentation, "n")
		if CodeOf(err) != c.want || c.want == "" && err != nil {
			t.Errorf("%s: %v, want %q", label, err, c.want)
		}
	}
}

func statusAt(uri string, index int) map[string]any {
	return map[string]any{"status_list": map[string]any{"uri": uri, "idx": index}}
}

// doubled is a token of the issuer's with one name twice, which readers take differently.
func doubled(t testing.TB, w *world) string {
	t.Helper()
	b, err := json.Marshal(w.held.claims)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signerOf(w.key, typeCredential, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(`{"vct":"urn:other",` + string(b[1:])))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Nobody else's status list counts, nor one that lies about what it is.
func TestForgedStatus(t *testing.T) {
	w := newWorld(t)
	uri := issuerURL + "/credential/status/0"
	good, err := pack(map[int]byte{})
	if err != nil {
		t.Fatal(err)
	}
	claims := func(change func(*statusToken)) statusToken {
		s := statusToken{Issuer: issuerURL, Subject: uri, Issued: now.Unix(), Expires: now.Add(time.Hour).Unix(), TTL: 60, List: good}
		change(&s)
		return s
	}
	bomb, err := packBomb()
	if err != nil {
		t.Fatal(err)
	}
	for label, c := range map[string]struct {
		token string
		want  Code
	}{
		"sound":                        {resign(t, w.key, typeStatus, claims(func(*statusToken) {})), ""},
		"of a stranger":                {resign(t, newKey(t), typeStatus, claims(func(*statusToken) {})), CodeStatus},
		"of the holder":                {resign(t, w.holder, typeStatus, claims(func(*statusToken) {})), CodeStatus},
		"of another type":              {resign(t, w.key, typeCredential, claims(func(*statusToken) {})), CodeStatus},
		"of another list":              {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.Subject += "1" })), CodeStatus},
		"of another issuer":            {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.Issuer = "https://evil.example" })), CodeStatus},
		"of yesterday":                 {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.Expires = now.Add(-time.Hour).Unix() })), CodeStatus},
		"of tomorrow":                  {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.Issued = now.Add(time.Hour).Unix() })), CodeStatus},
		"of last week, without an end": {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.Issued, s.Expires = now.AddDate(0, 0, -7).Unix(), 0 })), CodeStatus},
		"of today, without an end":     {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.Expires = 0 })), ""},
		"of three bits":                {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.List.Bits = 3 })), CodeStatus},
		"that is empty":                {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.List.List = "" })), CodeStatus},
		"that is a bomb":               {resign(t, w.key, typeStatus, claims(func(s *statusToken) { s.List = bomb })), CodeStatus},
		"that is no token":             {"x", CodeStatus},
		"that nobody signed":           {encode(t, map[string]string{"alg": "none", "typ": typeStatus}) + "." + encode(t, claims(func(*statusToken) {})) + ".", CodeStatus},
	} {
		w.verifier.Status = func(context.Context, string) (string, error) { return c.token, nil }
		if _, err := w.verifier.Verify(t.Context(), w.present(t, "n", "name"), "n"); CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", label, err, c.want)
		}
	}
	w.verifier.Status = nil
	if _, err := w.verifier.Verify(t.Context(), w.present(t, "n", "name"), "n"); CodeOf(err) != CodeStatus {
		t.Error(err)
	}
}

// The example of draft-ietf-oauth-status-list §4.1: 16 statuses of one bit.
func TestStatusBits(t *testing.T) {
	want := []byte{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}
	list := statusList{Bits: 1, List: "eNrbuRgAAhcBXQ"}
	for i, s := range want {
		if got, ok := list.at(i); !ok || got != s {
			t.Errorf("status[%d] is %d, %v", i, got, ok)
		}
	}
	if _, ok := list.at(16); ok {
		t.Error("there is no 17th")
	}
	statuses := map[int]byte{0: 1, 1: 2, 5: 3, listSize - 1: 2}
	packed, err := pack(statuses)
	if err != nil {
		t.Fatal(err)
	}
	for i := range listSize {
		if got, ok := packed.at(i); i < 8 || i > listSize-8 {
			if !ok || got != statuses[i] {
				t.Errorf("status[%d] is %d, %v", i, got, ok)
			}
		}
		if i == 8 {
			break
		}
	}
	if got, ok := packed.at(listSize - 1); !ok || got != 2 {
		t.Error(got, ok)
	}
}

// A proof of the holder's key is good for one login at one issuer, now.
func TestProof(t *testing.T) {
	key := newKey(t)
	sound, err := prove(key, issuerURL, "s", now)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := proven(sound, issuerURL, "s", now); err != nil || !key.PublicKey.Equal(got.Key) {
		t.Fatal(err)
	}
	for label, c := range map[string]struct {
		proof, issuer, session string
		at                     time.Time
	}{
		"another login":  {sound, issuerURL, "r", now},
		"another issuer": {sound, "https://evil.example", "s", now},
		"an old one":     {sound, issuerURL, "s", now.Add(time.Hour)},
		"one to come":    {sound, issuerURL, "s", now.Add(-time.Hour)},
		"none":           {"x", issuerURL, "s", now},
		"without a key":  {resign(t, key, typeProof, map[string]any{"aud": issuerURL, "nonce": "s", "iat": now.Unix()}), issuerURL, "s", now},
		"a binding":      {resign(t, key, typeBinding, map[string]any{"aud": issuerURL, "nonce": "s", "iat": now.Unix()}), issuerURL, "s", now},
	} {
		if _, err := proven(c.proof, c.issuer, c.session, c.at); CodeOf(err) != CodeProof {
			t.Errorf("%s: %v", label, err)
		}
	}
	other := newKey(t)
	jwk, err := publicJWK(other.Public())
	if err != nil {
		t.Fatal(err)
	}
	s, err := signerOf(key, typeProof, &jwk)
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := sign(s, map[string]any{"aud": issuerURL, "nonce": "s", "iat": now.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proven(stolen, issuerURL, "s", now); CodeOf(err) != CodeProof {
		t.Errorf("somebody else's key: %v", err)
	}
}

// A holder shows with their own key, and what they have.
func TestHeld(t *testing.T) {
	w := newWorld(t)
	if got := w.held.Fields(); !slices.Equal(got, []string{"age_over_18", "birth", "document_expiry", "name"}) {
		t.Error(got)
	}
	if _, err := w.held.Present(newKey(t), audience, "n", nil, now); CodeOf(err) != CodeBinding {
		t.Error(err)
	}
	if _, err := w.held.Present(w.holder, audience, "n", []string{"number"}, now); CodeOf(err) != CodeMissing {
		t.Error(err)
	}
	if _, err := w.verifier.Verify(t.Context(), w.present(t, "n", "name"), "n", "birth"); CodeOf(err) != CodeMissing {
		t.Error(err)
	}
	if _, err := ParseHeld(w.present(t, "n")); CodeOf(err) != CodeMalformed {
		t.Error(err)
	}
	w.verifier.Specimen = true
	if _, err := w.verifier.Verify(t.Context(), w.forged(t, func(c map[string]any) { c["specimen"] = true }), "n"); err != nil {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	f.Add(w.text)
	f.Add(w.present(f, "n", "name"))
	f.Add("a.b.c~")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := w.verifier.Verify(t.Context(), text, "n")
		if err == nil && p.Issuer != issuerURL {
			t.Error("of another issuer")
		}
		if err != nil && CodeOf(err) == "" {
			t.Errorf("no code: %v", err)
		}
	})
}
