package openid

import (
	"container/list"
	"time"
)

// waiting has the requests that are under way. Anybody can make one, by a party's name alone,
// so none is refused for want of room: the newest displaces another, of whoever has most.
// A network has at most maxPerPlace requests of a party, a party as many as it may have logins
// in their lifetime, all together maxRequests. Who floods so displaces his own: a citizen is
// disturbed by those of the same network at the same party, or by a flood from more networks
// than there are citizens.
type waiting struct {
	byID    map[string]*request
	order   list.List // all, the oldest first
	parties map[string]*queueOf
}

// queueOf are the requests of one party, by networks.
type queueOf struct {
	count  int
	places map[string]*list.List // the oldest first
}

func newWaiting() waiting {
	return waiting{byID: map[string]*request{}, parties: map[string]*queueOf{}}
}

// add puts a request in, of a party that may have so many.
func (w *waiting) add(r *request, most int) {
	p := w.parties[r.ask.ClientID]
	switch {
	case p != nil && p.places[r.from] != nil && p.places[r.from].Len() >= maxPerPlace:
		w.remove(p.places[r.from].Front().Value.(*request))
	case p != nil && p.count >= max(most, 1):
		w.displace(p)
	case len(w.byID) >= maxRequests:
		for _, q := range w.parties {
			if p == nil || q.count > p.count {
				p = q
			}
		}
		w.displace(p)
	}
	if p = w.parties[r.ask.ClientID]; p == nil {
		p = &queueOf{places: map[string]*list.List{}}
		w.parties[r.ask.ClientID] = p
	}
	if p.places[r.from] == nil {
		p.places[r.from] = list.New()
	}
	w.byID[r.id] = r
	p.count++
	r.inPlace, r.inOrder = p.places[r.from].PushBack(r), w.order.PushBack(r)
}

// displace removes the oldest request of the network that has most of a party's.
func (w *waiting) displace(p *queueOf) {
	var most *list.List
	for _, l := range p.places {
		if most == nil || l.Len() > most.Len() || l.Len() == most.Len() && older(l, most) {
			most = l
		}
	}
	w.remove(most.Front().Value.(*request))
}

func older(a, b *list.List) bool {
	return a.Front().Value.(*request).begun.Before(b.Front().Value.(*request).begun)
}

// remove forgets a request; nil is none.
func (w *waiting) remove(r *request) {
	if r == nil || w.byID[r.id] != r {
		return
	}
	delete(w.byID, r.id)
	w.order.Remove(r.inOrder)
	p := w.parties[r.ask.ClientID]
	p.places[r.from].Remove(r.inPlace)
	if p.places[r.from].Len() == 0 {
		delete(p.places, r.from)
	}
	if p.count--; p.count == 0 {
		delete(w.parties, r.ask.ClientID)
	}
}

// sweep forgets what is over.
func (w *waiting) sweep(now time.Time) {
	for e := w.order.Front(); e != nil; e = w.order.Front() {
		r := e.Value.(*request)
		if now.Sub(r.begun) <= requestLife {
			return
		}
		w.remove(r)
	}
}
