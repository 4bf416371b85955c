package desk

import (
	"context"
	"encoding/hex"

	"github.com/tamthe/tamthe/issuance"
)

// ceremonyStream is where a ceremony is recorded: it bears the beginning of its transcript's
// digest.
func ceremonyStream(transcript [32]byte) issuance.StreamID {
	return issuance.StreamID{Kind: issuance.KindCeremony, ID: hex.EncodeToString(transcript[:16])}
}

// RecordCeremony has two custodians say in the ledger that this is the transcript of what they
// did, by its digest, and by which script. A second time is *issuance.TransitionError.
func (o *Office) RecordCeremony(ctx context.Context, transcript, script [32]byte) error {
	return o.do(ctx, ceremonyStream(transcript), issuance.Sign, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"transcript": hex.EncodeToString(transcript[:]), "script": hex.EncodeToString(script[:])}
		return nil
	})
}

// CeremonyRecorded says whether the ledger has that transcript.
func (o *Office) CeremonyRecorded(ctx context.Context, transcript [32]byte) (bool, error) {
	s, err := issuance.Load(ctx, o.Store, ceremonyStream(transcript))
	if err != nil {
		return false, err
	}
	return s.Subject(ceremonyStream(transcript)).Fields["transcript"] == hex.EncodeToString(transcript[:]), nil
}

// KnownCustodian says whether the key, as ledgers have it, is that of an operator who is
// enrolled under the name, and a custodian: ErrUnknown if not, issuance.ErrRole if they are
// none.
func (o *Office) KnownCustodian(ctx context.Context, name, key string) error {
	list, err := o.Store.List(ctx, issuance.KindOperator)
	if err != nil {
		return err
	}
	for _, s := range list {
		state, err := issuance.Load(ctx, o.Store, s.Stream)
		if err != nil {
			return err
		}
		sub := state.Subject(s.Stream)
		if sub.Fields["key"] != key || sub.Fields["name"] != name {
			continue
		}
		id, err := issuance.ParseKeyID(s.Stream.ID)
		if err != nil {
			return err
		}
		if op, _ := state.Operator(id); !op.May(issuance.Custodian) {
			return issuance.ErrRole
		}
		return nil
	}
	return ErrUnknown
}
