package pki

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// A field that a query gains must be compared, or an answer is given to another question.
func TestQueryEqualComparesAll(t *testing.T) {
	base := Query{}
	if !base.equal(Query{}) {
		t.Error("a query differs from itself")
	}
	for i := range reflect.TypeFor[Query]().NumField() {
		q := Query{}
		switch f := reflect.ValueOf(&q).Elem().Field(i); v := f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(now))
		case string:
			f.SetString("x")
		case bool:
			f.SetBool(true)
		case time.Duration:
			f.SetInt(1)
		case *Memory:
			f.Set(reflect.ValueOf(new(Memory)))
		case []*cert.CRL:
			f.Set(reflect.ValueOf([]*cert.CRL{{}}))
			if q.equal(q) {
				t.Error("queries with lists of their own are remembered")
			}
		default:
			t.Errorf("%T: teach this test and Query.equal of it", v)
		}
		if base.equal(q) {
			t.Errorf("%s is not compared", reflect.TypeFor[Query]().Field(i).Name)
		}
	}
}

// What is remembered of a signer is what signatures say; all else is judged by the query.
func TestChainIsKept(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	s := store([]*cert.Certificate{ca.cert}, nil, Issuer{Country: "UT", CRL: None})
	c := s.Chain(ds.cert)
	if s.Chain(ds.cert) != c {
		t.Error("searched twice")
	}
	if got := c.Judge(usual()).Finding(Validity); got.Level != Passed {
		t.Error(got)
	}
	late := usual()
	late.At = ds.cert.NotAfter.AddDate(0, 0, 1)
	for range 2 {
		if got := c.Judge(late).Finding(Validity); got.Kind != SignerExpired {
			t.Error(got)
		}
		if got := c.Judge(usual()).Finding(Validity); got.Level != Passed {
			t.Error(got)
		}
	}
}

// The octets of a signer may lie in a buffer that is filled anew.
func TestChainKeepsNoBuffer(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	ds := newSigner(t, ca, nil)
	s := store([]*cert.Certificate{ca.cert}, nil)
	buffer := append([]byte{}, ds.cert.Raw...)
	c, err := cert.Parse(buffer)
	if err != nil {
		t.Fatal(err)
	}
	chain := s.Chain(c)
	clear(buffer)
	if r := chain.Judge(usual()); r.Finding(Usage).Level != Passed || r.Path[0].Fingerprint() != ds.cert.Fingerprint() {
		t.Error("the chain changed with the buffer")
	}
}

// A signer that was unknown with one document's certificates is so with another's.
func TestStrangersAreNotKept(t *testing.T) {
	ca, other := newCSCA(t, "CSCA", nil), newCSCA(t, "other", nil)
	ds := newSigner(t, ca, nil)
	s := store([]*cert.Certificate{other.cert}, nil)
	for range 2 {
		if got := s.Chain(ds.cert, ca.cert).Judge(usual()); got.Anchor != nil || got.Finding(Signature).Level == Passed {
			t.Error("a CSCA of the document is trusted", got)
		}
		if got := s.Chain(ds.cert).Judge(usual()).Finding(Signature); got.Kind != CSCAUnknown {
			t.Error(got)
		}
	}
}

func TestChainsAreBounded(t *testing.T) {
	var c chainCache
	for i := range 3 * maxChains {
		c.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, &Chain{})
		if c.get([32]byte{}) == nil {
			t.Fatal("the one used most was dropped")
		}
	}
	if len(c.known) != maxChains || c.used.Len() != maxChains {
		t.Error(len(c.known), c.used.Len())
	}
}

// Many goroutines judge by one store, whose signers come and go.
func TestStoreIsShared(t *testing.T) {
	ca := newCSCA(t, "CSCA", nil)
	certs := []*cert.Certificate{ca.cert}
	for range 8 {
		certs = append(certs, newSigner(t, ca, nil).cert)
	}
	b := newBuilder(0)
	for _, c := range certs {
		if err := b.add(item{der: c.Raw, source: b.source("x")}); err != nil {
			t.Fatal(err)
		}
	}
	s := b.store([]*cert.CRL{newCRL(t, ca, nil)}, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 40 {
				c := certs[1+i%8]
				if got := s.Chain(c).Judge(usual()); got.Anchor == nil {
					t.Error("no anchor")
				}
				if got := s.Signers(&cms.SignerInfo{KeyID: c.SubjectKeyID}); len(got) != 1 || got[0].Serial.Cmp(c.Serial) != 0 {
					t.Error("not found by its key")
				}
				if got := s.Signers(&cms.SignerInfo{Serial: c.Serial, Issuer: c.Issuer}); len(got) != 1 || got[0].Serial.Cmp(c.Serial) != 0 {
					t.Error("not found by its number")
				}
			}
		})
	}
	wg.Wait()
}
