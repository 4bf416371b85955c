package issuance

import (
	"context"
	"strconv"
)

// Use is the claim of the n-th signature of a document signer. The n-th is claimed once for
// ever, by the store's constraint, and the rules let none be claimed beyond the cap.
func Use(signer string, n uint64) Claim {
	return Claim{ClaimUse, signer + ":" + strconv.FormatUint(n, 10)}
}

// Claims finds whose a claim is, the zero stream if nobody's. Every store does.
type Claims interface {
	Claimed(ctx context.Context, c Claim) (StreamID, error)
}

// Uses counts the signatures of a document signer that were taken, of most that there are,
// in as many look-ups as most has binary digits: they are taken one after the other, the
// next one by whoever is first, and whoever is not sees a *DuplicateError and counts again.
func Uses(ctx context.Context, c Claims, signer string, most uint64) (uint64, error) {
	low, high := uint64(0), most // low is taken, or zero; what is above high is not
	for low < high {
		n := low + (high-low+1)/2
		by, err := c.Claimed(ctx, Use(signer, n))
		if err != nil {
			return 0, err
		}
		if by.IsZero() {
			high = n - 1
		} else {
			low = n
		}
	}
	return low, nil
}
