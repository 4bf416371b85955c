package issuance

import "context"

// Recaller gives back the entries of a stream that an audit has judged, with the hashes
// by which the tree knows their leaves.
type Recaller interface {
	Recall(ctx context.Context, s StreamID) ([]Entry, [][32]byte, error)
}

// Recall reads the streams that judging rests on, those that they point to and the
// operators behind their acts, as Load does, but believes them: only who has judged them before
// may do so, and has forgotten them.
func (b *Book) Recall(ctx context.Context, r Recaller, streams ...StreamID) error {
	var seen set
	wave := streams
	for hop := 0; len(wave) > 0; hop++ {
		var next []StreamID
		for _, id := range wave {
			if !seen.add(id) {
				continue
			}
			s, ok := b.subjects[id]
			if !ok {
				var err error
				if s, err = b.recall(ctx, r, id); err != nil {
					return err
				}
			}
			if hop < reach {
				next = points(next, s.Fields)
			}
			next = operatorsOf(next, s)
		}
		wave = next
	}
	return nil
}

func (b *Book) recall(ctx context.Context, r Recaller, id StreamID) (*Subject, error) {
	entries, hashes, err := r.Recall(ctx, id)
	if err != nil {
		return nil, err
	}
	s := &Subject{Stream: id}
	for i := range entries {
		e := &entries[i]
		to := Absent
		if rule := ruleFor(e.Rules, e.Stream.Kind, e.Act); rule != nil {
			to = rule.after(s.Phase)
		}
		s.record(e, to, hashes[i])
	}
	b.subjects[id] = s
	return s, nil
}

// Forget drops all streams but those of some kinds, to be recalled when they are needed.
// each is told where every one that is dropped stands.
func (b *Book) Forget(each func(s StreamID, p Phase, seq uint64, last [32]byte), but ...Kind) {
	b.partial = true
	for id, s := range b.subjects {
		keep := false
		for _, k := range but {
			keep = keep || id.Kind == k
		}
		if keep {
			continue
		}
		if s.Seq > 0 {
			each(id, s.Phase, s.Seq, s.Last)
		}
		delete(b.subjects, id)
	}
}
