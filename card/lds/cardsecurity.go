package lds

import (
	"encoding/asn1"
	"fmt"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// OIDSecurityObject is the content type of EF.CardSecurity, id-SecurityObject of TR-03110-3
// §A.1.2.5.
var OIDSecurityObject = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 2, 1}

// SignedInfos is EF.CardSecurity: what a chip says it can do and with which keys, signed
// by the issuer (Doc 9303-11 §9.2.11). Nothing in it is to be believed before it verifies
// under a trusted key.
type SignedInfos struct {
	Raw    []byte
	Signed *cms.SignedData
	Infos  *SecurityInfos
}

// ParseCardSecurity reads EF.CardSecurity. Errors wrap cms.ErrStructure or are *Error.
func ParseCardSecurity(raw []byte) (*SignedInfos, error) {
	signed, err := cms.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read EF.CardSecurity: %w", err)
	}
	if !signed.ContentType.Equal(OIDSecurityObject) {
		return nil, CardSecurity.malformed("content type %v", signed.ContentType)
	}
	infos, err := parseInfos(CardSecurity, signed.Content)
	if err != nil {
		return nil, err
	}
	if infos.Trailing > 0 {
		return nil, CardSecurity.malformed("%d octets behind the SecurityInfos", infos.Trailing)
	}
	return &SignedInfos{Raw: raw, Signed: signed, Infos: infos}, nil
}

// Signer returns the only SignerInfo, or an error that wraps cms.ErrStructure.
func (s *SignedInfos) Signer() (*cms.SignerInfo, error) { return onlySigner(s.Signed) }

// Verify checks the only signer against key, which it trusts as it is; see SOD.Verify.
func (s *SignedInfos) Verify(key cert.PublicKey) error { return verifyOnly(s.Signed, key) }
