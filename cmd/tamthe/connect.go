package main

import (
	"context"

	"github.com/tamthe/tamthe/apdu/pcsc"
)

// connectPCSC opens the card of the reader whose name holds the text, or of the only
// reader with a card.
func connectPCSC(ctx context.Context, name string) (*reader, error) {
	r, err := pcsc.Pick(ctx, name)
	if err != nil {
		return nil, err
	}
	card, err := pcsc.Open(ctx, r.Name, pcsc.Options{})
	if err != nil {
		return nil, err
	}
	return &reader{
		Wire: card, reset: card.Reset, close: card.Close, limits: card.Limits(), claimed: card.Claims() == pcsc.ExtendedYes,
	}, nil
}
