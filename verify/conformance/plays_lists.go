package conformance

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// The reasons of a list that is not imported.
const (
	reasonList     verify.Reason = "list-refused"
	reasonRollback verify.Reason = "rolled-back"
)

var (
	oidDeviations      = []int{2, 23, 136, 1, 1, 7}
	oidDeviationSigner = []int{2, 23, 136, 1, 1, 8}
)

// signedList is a master list or a list of deviations before it is signed.
type signedList struct {
	kind    []int
	content []byte
	signer  cert.Template
	csca    crypto.Signer // signs the signer's certificate
	key     crypto.Signer
	when    time.Time
	packed  [][]byte
	change  func(*node)
	whole   func([]byte) []byte
}

// masterList is a sound list under the issuer's CSCA.
func (s *stage) masterList() *signedList {
	key := ecKey(dh.P256(), "list signer")
	t := s.b.signer
	t.Serial, t.Subject, t.PublicKey, t.SubjectKeyID = big.NewInt(6), nameOf("VN", "List Signer SPECIMEN"), key.Public(), keyID(key)
	t.DocumentTypes, t.PrivateKeyUsage = nil, nil
	t.ExtKeyUsage = append(t.ExtKeyUsage, oidMasterListSigner)
	return &signedList{
		kind: oidList, signer: t, csca: s.b.csca, key: key, when: judged.AddDate(0, 0, -1),
		content: sequence(integer(0), set(parseNode(s.made.root.Raw))).bytes(),
	}
}

// deviations is a sound list of deviations: one, of the mechanism, without documents named.
func (s *stage) deviations() *signedList {
	l := s.masterList()
	l.kind = oidDeviations
	l.signer.ExtKeyUsage = nil
	l.signer.ExtKeyUsage = append(l.signer.ExtKeyUsage, oidDeviationSigner)
	fault := sequence(object(append(append([]int{}, oidDeviations...), 1, 1)...))
	l.content = sequence(integer(0), set(sequence(sequence(), set(fault)))).bytes()
	return l
}

func (l *signedList) bytes() ([]byte, error) {
	signer := authority(l.signer, l.csca)
	raw, err := cms.Sign(cms.Message{
		ContentType: l.kind, Content: l.content, Certificate: signer, Certificates: l.packed,
		Algorithm: ecdsaSHA256, ByKeyID: true, SigningTime: l.when,
	}, l.key)
	if err != nil {
		return nil, err
	}
	if raw = edited(raw, l.change); l.whole != nil {
		raw = l.whole(raw)
	}
	return raw, nil
}

// listPlays are lists that a station is asked to import (Doc 9303-12 §8, §9).
func listPlays() []play {
	var list []play
	put := func(verdict string, id, what string, make func(s *stage) *signedList) {
		reason := reasonList
		if verdict == accept {
			reason = ""
		}
		list = append(list, play{"list-" + id, what, standard, verdict, reason, func(b *blueprint) {
			b.play = func(s *stage) (Got, error) {
				raw, err := make(s).bytes()
				if err != nil {
					return Got{}, err
				}
				_, err = s.b.store(s.made).OpenList(raw, judged)
				return imported(err), nil
			}
		}})
	}
	with := func(change func(s *stage, l *signedList)) func(*stage) *signedList {
		return func(s *stage) *signedList {
			l := s.masterList()
			change(s, l)
			return l
		}
	}
	rogue := func(l *signedList) {
		l.csca = ecKey(dh.P256(), "forged CSCA")
		l.signer.AuthorityKeyID = keyID(l.csca)
	}
	put(accept, "sound", "a sound master list", (*stage).masterList)
	put(accept, "deviations", "a sound list of deviations", (*stage).deviations)
	put(none, "unsigned", "a master list without a signature", with(func(_ *stage, l *signedList) {
		l.change = func(n *node) { signedData(n).at(-1).become(set()) }
	}))
	put(none, "signature", "a master list of which a bit was changed", with(func(_ *stage, l *signedList) {
		l.change = func(n *node) { c := signedData(n).at(sdContent, 1, 0); c.value = flipped(c.value, -1) }
	}))
	put(none, "cut", "a master list that is cut", with(func(_ *stage, l *signedList) { l.whole = func(b []byte) []byte { return b[:len(b)/2] } }))
	put(none, "purpose", "a master list by a signer that is not for master lists", with(func(_ *stage, l *signedList) { l.signer.ExtKeyUsage = nil }))
	put(none, "deviation-signer", "a master list by the signer of deviation lists", with(func(_ *stage, l *signedList) {
		l.signer.ExtKeyUsage = nil
		l.signer.ExtKeyUsage = append(l.signer.ExtKeyUsage, oidDeviationSigner)
	}))
	put(none, "by-csca", "a master list signed by the CSCA's own key", with(func(s *stage, l *signedList) { l.signer, l.key = s.b.root, s.b.csca }))
	put(none, "expired", "a master list by a signer that has ended", with(func(_ *stage, l *signedList) { l.signer.NotAfter = judged.AddDate(0, 0, -2) }))
	put(none, "early", "a master list signed after today", with(func(_ *stage, l *signedList) { l.when = judged.AddDate(0, 0, 2) }))
	put(none, "foreign", "a master list under a CSCA that is not pinned", with(func(_ *stage, l *signedList) { rogue(l) }))
	put(none, "self-contained", "a rogue's list that brings its own CSCA", with(func(s *stage, l *signedList) {
		rogue(l)
		forged := standard()
		forged.forger()
		if i, err := forged.issue(); err == nil {
			l.packed = [][]byte{i.root.Raw}
			l.content = sequence(integer(0), set(parseNode(i.root.Raw))).bytes()
		}
	}))
	put(none, "deviations-foreign", "a list of deviations under a CSCA that is not pinned", func(s *stage) *signedList {
		l := s.deviations()
		rogue(l)
		return l
	})
	put(none, "deviations-signer", "a list of deviations by the signer of master lists", func(s *stage) *signedList {
		l := s.deviations()
		l.signer.ExtKeyUsage = nil
		l.signer.ExtKeyUsage = append(l.signer.ExtKeyUsage, oidMasterListSigner)
		return l
	})
	return append(append(list, rollbackPlays()...), statusPlays()...)
}

func imported(err error) Got {
	switch {
	case err == nil:
		return Got{Verdict: accept}
	case errors.Is(err, pki.ErrRollback):
		return Got{Verdict: none, Reasons: []verify.Reason{reasonRollback}, Detail: err.Error()}
	case errors.Is(err, pki.ErrList), errors.Is(err, status.ErrSigner), errors.Is(err, status.ErrSignature), errors.Is(err, status.ErrMalformed):
		return Got{Verdict: none, Reasons: []verify.Reason{reasonList}, Detail: err.Error()}
	}
	return Got{Verdict: none, Reasons: []verify.Reason{reasonError}, Detail: err.Error()}
}

// seen has a device remember an edition and asks it about another.
func seen(ask, before pki.Mark) func(*stage) (Got, error) {
	return func(*stage) (Got, error) {
		return remembering(before, func(m *pki.Memory) (Got, error) { return imported(m.Note(ask)), nil })
	}
}

// remembering lends a device's memory of one edition.
func remembering(before pki.Mark, use func(*pki.Memory) (Got, error)) (Got, error) {
	dir, err := os.MkdirTemp("", "tamthe-conform")
	if err != nil {
		return Got{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	m, err := pki.OpenMemory(filepath.Join(dir, "seen"))
	if err != nil {
		return Got{}, err
	}
	if err := m.Note(before); err != nil {
		return Got{}, err
	}
	return use(m)
}

// rollbackPlays bring yesterday's lists, and yesterday's clock.
func rollbackPlays() []play {
	at := func(kind string, n uint64, days int, digest byte) pki.Mark {
		return pki.Mark{Kind: kind, Issuer: "VN", Sequence: n, Signed: judged.AddDate(0, 0, days), Digest: [32]byte{digest}}
	}
	var list []play
	for kind, number := range map[string]uint64{pki.KindMasterList: 0, pki.KindDeviations: 0, pki.KindCRL: 7, "status": 7} {
		put := func(id, what, verdict string, reason verify.Reason, ask pki.Mark) {
			list = append(list, play{"rollback-" + kind + "-" + id, "a " + kind + " that is " + what, standard, verdict, reason, func(b *blueprint) {
				b.play = seen(ask, at(kind, number, -5, 5))
			}})
		}
		put("newer", "newer than the last", accept, "", at(kind, number+min(number, 1), -1, 6))
		put("older", "older than the last", none, reasonRollback, at(kind, number-min(number, 1), -9, 4))
		put("other", "another in the last one's place", none, reasonRollback, at(kind, number, -5, 9))
	}
	list = append(list, play{"rollback-crl-used", "a station whose revocation list is older than one that it has seen", standard, refer, verify.ReasonCRLOlder, func(b *blueprint) {
		b.play = func(s *stage) (Got, error) {
			newer := pki.Mark{Kind: pki.KindCRL, Issuer: "VN " + strings.ToLower(b.root.Subject.String()), Sequence: 9, Signed: judged.AddDate(0, 0, -1), Digest: [32]byte{9}}
			return remembering(newer, func(m *pki.Memory) (Got, error) {
				o := b.options
				o.Trust, o.Seen = b.store(s.made), m
				return reported(verify.Inspect(s.ctx, apdu.Over(s.chip, apdu.Limits{}), o))
			})
		}
	}})
	return append(list, play{"rollback-clock", "a clock that stands before the newest list that the station has seen", standard, refer, verify.ReasonClockBehind, func(b *blueprint) {
		b.options.Newest = judged.AddDate(0, 0, 10)
	}})
}

// statusList is where the status of the test cards is published.
const statusList = "https://status.specimen.invalid/vn"

// carded is a card whose SOD carries an index of that list, at a station that has it.
func carded() *blueprint {
	b := standard()
	b.kind = "carded"
	b.reference = &lds.StatusReference{List: statusList, Index: 17}
	b.published(status.Active, func(*statusSource) {})
	return b
}

// statusSource is a station's list of card status.
type statusSource struct {
	key    crypto.Signer
	pinned crypto.Signer
	signed time.Time
	late   time.Time

	cards  status.Indexes
	filter bool // the list is a filter of names, and the card carries no index
	change func([]byte) []byte
}

// published signs a list in which the card has that state, and gives it to the station; the
// case may change how.
func (b *blueprint) published(state status.State, change func(*statusSource)) {
	s := &statusSource{key: ecKey(dh.P256(), "status"), signed: judged.AddDate(0, 0, -1), late: judged.AddDate(0, 0, 6)}
	s.pinned = s.key
	s.cards[state] = []uint32{17}
	change(s)
	b.trust = func(i *issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer) {
		pub := public(s.pinned.Public())
		return []pki.Material{{Cert: i.root, Specimen: true}}, []*cert.CRL{i.crl}, []pki.Issuer{{Country: "VN", StatusKeys: [][32]byte{sha256.Sum256(pub.Raw)}}}
	}
	b.options.Status = &answering{s: s, b: b}
}

// answering asks a list as the program does.
type answering struct {
	s *statusSource
	b *blueprint
}

// Status reads the list, as a station does, and looks the card up.
func (a *answering) Status(ctx context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	list, err := a.list(c.ID)
	if err != nil {
		return verify.StatusAnswer{}, err
	}
	source, err := status.Of(list, nil)
	if err != nil {
		return verify.StatusAnswer{}, err
	}
	return verify.StatusLists(source).Status(ctx, c)
}

// octets are the list as it is published.
func (a *answering) octets(id verify.CardID) ([]byte, error) {
	h := status.Header{Country: "VN", Documents: []string{"I"}, URI: statusList, Sequence: 3, Signed: a.s.signed, NextUpdate: a.s.late}
	draft, err := status.PrepareIndex(h, a.s.key.Public(), a.s.cards)
	if a.s.filter {
		draft, err = status.PrepareFilter(h, a.s.key.Public(), status.IDs{status.Revoked: {id}})
	}
	if err != nil {
		return nil, err
	}
	raw, err := draft.Sign(a.s.key)
	if err != nil {
		return nil, err
	}
	if a.s.change != nil {
		raw = a.s.change(raw)
	}
	return raw, nil
}

func (a *answering) list(id verify.CardID) (*status.List, error) {
	raw, err := a.octets(id)
	if err != nil {
		return nil, err
	}
	i, err := a.b.issue()
	if err != nil {
		return nil, err
	}
	return status.Parse(raw, a.b.store(i))
}

// statusPlays are what a list of card status says, and lists that nobody should believe.
func statusPlays() []play {
	list := []play{{"status-active", "a card in force by the list that it names", carded, accept, "", func(*blueprint) {}}}
	for state, reason := range map[status.State]verify.Reason{
		status.Revoked: verify.ReasonCardRevoked, status.Suspended: verify.ReasonCardSuspended,
		status.Superseded: verify.ReasonCardSuperseded, status.Undelivered: verify.ReasonCardUndelivered,
	} {
		list = append(list, play{"status-" + state.String(), "a card that is " + state.String(), carded, refuse, reason, func(b *blueprint) { b.published(state, func(*statusSource) {}) }})
	}
	put := func(id, what string, reason verify.Reason, change func(*statusSource)) {
		list = append(list, play{"status-" + id, what, carded, refer, reason, func(b *blueprint) { b.published(status.Active, change) }})
	}
	put("unlisted", "a card that its list does not know", verify.ReasonStatusUnknown, func(s *statusSource) { s.cards = status.Indexes{status.Active: {99}} })
	put("stale", "a list that is past its time", verify.ReasonStatusStale, func(s *statusSource) { s.signed, s.late = judged.AddDate(0, -2, 0), judged.AddDate(0, -1, 0) })
	put("foreign", "a list by a key that is not pinned", verify.ReasonStatusUnavailable, func(s *statusSource) { s.key = ecKey(dh.P256(), "nobody") })
	put("edited", "a list of which a bit was changed", verify.ReasonStatusUnavailable, func(s *statusSource) {
		s.change = func(b []byte) []byte { return flipped(b, len(b)/2) }
	})
	return append(
		list,
		play{"status-probable", "a hit of a filter, which may mean another card", carded, refer, verify.ReasonStatusProbable, func(b *blueprint) {
			b.reference = nil
			b.published(status.Active, func(s *statusSource) { s.filter = true })
		}},
		play{"status-not-asked", "nobody is asked, where the issuer publishes", carded, refer, verify.ReasonStatusNotAsked, func(b *blueprint) { b.options.Status = nil }},
		play{"status-malleated", "a revoked card whose signature is written as (r, n-s)", carded, refuse, verify.ReasonCardRevoked, func(b *blueprint) {
			b.published(status.Revoked, func(*statusSource) {})
			b.signature = malleated
		}},
	)
}
