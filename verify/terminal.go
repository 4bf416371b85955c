package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// mapped takes the proof of PACE with Chip Authentication Mapping out of the session, for
// the key of EF.CardSecurity that belongs to the domain parameters of PACE: by its number
// if one carries it, else by its group.
func (i *inspector) mapped() {
	pace := i.session.PACE()
	if pace == nil || !pace.MapsChip() {
		return
	}
	p := &proof[auth.ChipProof]{}
	i.ev.chip.mapping = p
	signed, err := lds.ParseCardSecurity(i.ev.files[lds.CardSecurity])
	if p.err = err; err != nil {
		return
	}
	keys, err := mappingKeys(signed.Infos, pace.Info)
	if p.err = err; err != nil {
		return
	}
	for _, k := range keys {
		if p.result, p.err = pace.Mapped(k); p.err == nil {
			return
		}
	}
}

// mappingKeys are the keys that the proof may be for.
func mappingKeys(infos *lds.SecurityInfos, info lds.PACEInfo) ([]lds.ChipAuthKey, error) {
	group, err := dh.GroupByID(info.ParameterID)
	if err != nil {
		return nil, err
	}
	var named, fitting []lds.ChipAuthKey
	for _, k := range infos.ChipKeys {
		e := k.Key.Element()
		if e == nil || e.Group() != group {
			continue
		}
		key := lds.ChipAuthKey{KeyID: k.KeyID, Public: e}
		if fitting = append(fitting, key); k.KeyID != nil && k.KeyID.Cmp(big.NewInt(int64(info.ParameterID))) == 0 {
			named = append(named, key)
		}
	}
	switch {
	case len(named) > 0:
		return named, nil
	case len(fitting) > 0:
		return fitting, nil
	}
	return nil, fmt.Errorf("EF.CardSecurity has no key over %s: %w", group.Name(), auth.ErrProtocol)
}

// wantsTerminal says whether Terminal Authentication is to be tried.
func (i *inspector) wantsTerminal(infos *lds.SecurityInfos) bool {
	return i.o.Terminal != nil && infos != nil && len(infos.Terminal) > 0
}

// terminal opens the protected groups. What the chip refuses there says something about
// our certificates and nothing against the card.
func (i *inspector) terminal(ctx context.Context, infos *lds.SecurityInfos, ca *auth.ChipProof) error {
	if !i.wantsTerminal(infos) {
		return nil
	}
	p := &proof[struct{}]{}
	i.ev.chip.terminal = p
	p.err = i.session.Terminal1(ctx, ca, *i.o.Terminal, infos.Terminal[0])
	if errors.Is(p.err, cvc.ErrChain) || errors.Is(p.err, cvc.ErrMalformed) || errors.Is(p.err, cvc.ErrKey) || errors.Is(p.err, auth.ErrSigner) || errors.Is(p.err, apdu.FileNotFound) {
		return nil
	}
	return i.answered(p.err)
}

// interim reports what is known before the personal data are read: whether the signature
// is the issuer's and the chip is the one that it was given to.
func (i *inspector) interim() {
	if i.o.Interim == nil || i.ev.chip.broken != nil {
		return
	}
	ev := i.ev
	ev.files = maps.Clone(i.ev.files)
	a := assessment{o: i.o, ev: &ev, checks: map[string]Check{}}
	a.identify()
	a.judge()
	a.judgeHolder()
	i.o.Interim(a.report())
}
