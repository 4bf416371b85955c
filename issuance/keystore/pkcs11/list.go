//go:build cgo && !nopkcs11

package pkcs11

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"
)

// maxListed bounds a list of keys.
const maxListed = 4096

// List says what private and secret keys there are, whoever made them.
func (t *Token) List(ctx context.Context) ([]Info, error) {
	var list []Info
	err := t.do(ctx, false, func(s session) error {
		list = nil
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_SECRET_KEY} {
			found, err := s.search(class, "", nil, maxListed)
			if err != nil {
				return err
			}
			for _, o := range found {
				i, err := s.info(class, o)
				if err != nil {
					return err
				}
				list = append(list, i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the keys of token %q: %w", t.uri.Token, err)
	}
	return list, nil
}

func (s session) info(class uint, o pkcs11.ObjectHandle) (i Info, err error) {
	label, err := s.value(o, pkcs11.CKA_LABEL)
	if err != nil {
		return i, err
	}
	i.Name = strings.ToValidUTF8(string(label), "?")
	if i.ID, err = s.value(o, pkcs11.CKA_ID); err != nil {
		return i, err
	}
	if i.Exposed, err = s.exposed(o); err != nil {
		return i, err
	}
	if i.Made, err = s.flag(o, pkcs11.CKA_LOCAL, false); err != nil {
		return i, err
	}
	if class == pkcs11.CKO_SECRET_KEY {
		i.Algorithm = "AES-256"
		if n, err := s.value(o, pkcs11.CKA_VALUE_LEN); err == nil && len(n) > 0 && n[0] != 32 {
			i.Algorithm = fmt.Sprintf("AES-%d", int(n[0])*8)
		}
		return i, nil
	}
	i.Algorithm = "unknown"
	if pub, err := s.public(o); err == nil {
		i.Algorithm = algorithmOf(pub)
	}
	return i, nil
}
