package credential

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/tamthe/tamthe/verify"
)

// Issued is what a Store keeps of a credential: its place, and by what its card is known. There
// is no personal data in it, and not the holder's key.
type Issued struct {
	Place   Place
	Card    verify.CardRef // all by which the cards' issuer may know it
	Issued  time.Time
	Expires time.Time
}

// ErrTaken means that a place in a status list has a credential already.
var ErrTaken = errors.New("the place in the status list is taken")

// Store keeps what was issued. Keep returns once it is on the disk, and is ErrTaken for a place
// that is taken. Count is how many places of a list are taken.
type Store interface {
	Keep(ctx context.Context, i Issued) error
	Count(ctx context.Context, list int) (int, error)
	List(ctx context.Context, list int, f func(Issued) error) error
}

// Config says who issues.
type Config struct {
	URL      string        // of the issuer (iss), below which it serves its lists
	Key      crypto.Signer // of P-256
	Store    Store
	Status   verify.StatusSource // what the cards' issuer says of a card
	Life     time.Duration       // how long a credential is good for; 30 days if 0
	Specimen bool                // cards of test keys are taken: each credential says so
	Now      func() time.Time
}

// Issuer issues credentials and publishes their status. It is safe for concurrent use.
type Issuer struct {
	c    Config
	jwk  jose.JSONWebKey
	vc   jose.Signer
	list jose.Signer

	mu     sync.Mutex
	tokens map[int]*published
}

// published is a status token that was signed a little while ago. Its lock is held while it is
// made anew: whoever asks for the same list waits, and for no other.
type published struct {
	mu    sync.Mutex
	token string
	at    time.Time
}

// Lives of tokens. A list is made anew once a minute at most, and nobody may rely on one that
// is older than a quarter of an hour: so late a revocation may be.
const (
	defaultLife = 30 * 24 * time.Hour
	listFresh   = time.Minute
	listLife    = 15 * time.Minute
)

// maxLists bounds the status lists, so that nobody asks for one that there is not.
const maxLists = 1 << 12

// New makes an Issuer.
func New(c Config) (*Issuer, error) {
	if c.URL == "" || c.Store == nil || c.Status == nil || c.Now == nil || c.Key == nil {
		return nil, errors.New("an issuer needs its address, a key, a store, the cards' status and a clock")
	}
	if c.Life == 0 {
		c.Life = defaultLife
	}
	i := &Issuer{c: c, tokens: map[int]*published{}}
	var err error
	if i.c.Key, err = plain(c.Key); err != nil {
		return nil, err
	}
	if i.jwk, err = publicJWK(i.c.Key.Public()); err != nil {
		return nil, err
	}
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: cryptosigner.Opaque(i.c.Key), KeyID: i.jwk.KeyID}}
	if i.vc, err = jose.NewSigner(key, (&jose.SignerOptions{}).WithType(typeCredential)); err != nil {
		return nil, err
	}
	i.list, err = jose.NewSigner(key, (&jose.SignerOptions{}).WithType(typeStatus))
	return i, err
}

// Keys are what verifiers verify with, as a JSON Web Key Set.
func (i *Issuer) Keys() ([]byte, error) {
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.jwk}})
}

// Subject is what a card told in a login, and by what it is known.
type Subject struct {
	Fields map[string]string
	Level  string // acr of the login
	Expiry string // of the card, YYYY-MM-DD; "" where it has none
	Card   verify.CardRef
}

// Issue makes a credential for a holder's key, of which it knows that whoever asks has it. The
// card must be active now by its issuer's word: CodeNotInForce. The place in the status list is
// on the disk before the credential leaves.
func (i *Issuer) Issue(ctx context.Context, s Subject, holder jose.JSONWebKey) (string, error) {
	now := i.c.Now()
	if answer, err := i.c.Status.Status(ctx, s.Card); err != nil || !answer.State.InForce() || !answer.Exact {
		return "", &Refusal{CodeNotInForce, err}
	}
	expires := now.Add(i.c.Life)
	if s.Expiry != "" {
		end, err := time.Parse(time.DateOnly, s.Expiry)
		if err != nil || !now.Before(end) {
			return "", refuse(CodeNotInForce)
		}
		if end.Before(expires) {
			expires = end
		}
	}
	place, err := i.place(ctx, Issued{Card: s.Card, Issued: now, Expires: expires})
	if err != nil {
		return "", err
	}
	return i.sign(s, holder, place, now, expires)
}

// place takes a random free place, so that nothing of who came when can be told from it.
func (i *Issuer) place(ctx context.Context, entry Issued) (Place, error) {
	for list := range maxLists {
		n, err := i.c.Store.Count(ctx, list)
		if err != nil {
			return Place{}, err
		}
		for tries := 0; n < listSize/2 && tries < 64; tries++ {
			entry.Place = Place{list, rand.IntN(listSize)}
			err := i.c.Store.Keep(ctx, entry)
			if err == nil {
				return entry.Place, nil
			}
			if !errors.Is(err, ErrTaken) {
				return Place{}, err
			}
		}
	}
	return Place{}, refuse(CodeOutOfPlaces)
}

// digestsOf is how many digests stand in a credential at least, and a multiple of which: how
// many fields there are is not told.
const digestsOf = 16

// sign makes the SD-JWT. The times are those of whole hours, so that no two verifiers tell a
// holder by them.
func (i *Issuer) sign(s Subject, holder jose.JSONWebKey, place Place, now, expires time.Time) (string, error) {
	holder.KeyID, holder.Algorithm, holder.Use = "", "", ""
	payload := map[string]any{
		"iss": i.c.URL, "iat": now.Truncate(time.Hour).Unix(), "exp": expires.Truncate(time.Hour).Unix(), "vct": Type, "cnf": map[string]any{"jwk": holder},
		"status": map[string]any{"status_list": map[string]any{"idx": place.Index, "uri": i.uri(place.List)}}, "_sd_alg": hashAlgorithm, "acr": s.Level,
	}
	if i.c.Specimen {
		payload["specimen"] = true
	}
	var digests, disclosures []string
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		d, err := disclose(name, valueOf(name, s.Fields[name]))
		if err != nil {
			return "", err
		}
		digests, disclosures = append(digests, digest(d.text)), append(disclosures, d.text)
	}
	for len(digests) == 0 || len(digests)%digestsOf != 0 {
		digests = append(digests, decoy())
	}
	slices.Sort(digests) // the order tells nothing, and no decoy from the others
	payload["_sd"] = digests
	token, err := sign(i.vc, payload)
	if err != nil {
		return "", err
	}
	text := token + "~"
	for _, d := range disclosures {
		text += d + "~"
	}
	return text, nil
}

// valueOf is a field's value: what is yes or no is a truth value.
func valueOf(name, value string) any {
	if b, err := strconv.ParseBool(value); err == nil && (name == "age_over_14" || name == "age_over_18") {
		return b
	}
	return value
}

func (i *Issuer) uri(list int) string { return fmt.Sprintf("%s/credential/status/%d", i.c.URL, list) }

// StatusToken is the status list of that number, signed a minute ago at most, by what the
// cards' issuer says now. Where it says nothing there is no new list, and the old one ends. A
// list that there is not is CodeUnknown.
func (i *Issuer) StatusToken(ctx context.Context, list int) (string, error) {
	if list < 0 || list >= maxLists {
		return "", refuse(CodeUnknown)
	}
	p := i.publishedOf(list)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := i.c.Now()
	if p.token != "" && now.Sub(p.at) >= 0 && now.Sub(p.at) < listFresh {
		return p.token, nil
	}
	n, err := i.c.Store.Count(ctx, list)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", refuse(CodeUnknown)
	}
	token, err := i.makeStatus(ctx, list, now)
	if err == nil {
		p.token, p.at = token, now
	}
	return token, err
}

// publishedOf is where the token of a list is kept: of at most maxLists.
func (i *Issuer) publishedOf(list int) *published {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := i.tokens[list]
	if p == nil {
		p = &published{}
		i.tokens[list] = p
	}
	return p
}

// makeStatus signs a list as the cards' issuer has it now.
func (i *Issuer) makeStatus(ctx context.Context, list int, now time.Time) (string, error) {
	statuses := map[int]byte{}
	var cards []Issued
	if err := i.c.Store.List(ctx, list, func(e Issued) error { cards = append(cards, e); return nil }); err != nil {
		return "", err
	}
	for _, e := range cards {
		answer, err := i.c.Status.Status(ctx, e.Card)
		if err != nil {
			return "", &Refusal{CodeStatus, err}
		}
		if statuses[e.Place.Index] = statusOf(answer.State); !answer.Exact {
			statuses[e.Place.Index] = statusSuspended
		}
	}
	packed, err := pack(statuses)
	if err != nil {
		return "", err
	}
	return sign(i.list, statusToken{
		Issuer: i.c.URL, Subject: i.uri(list), Issued: now.Unix(), Expires: now.Add(listLife).Unix(), TTL: int64(listFresh / time.Second), List: packed,
	})
}
