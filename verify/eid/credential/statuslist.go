package credential

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tamthe/tamthe/verify"
)

// The status types of draft-ietf-oauth-status-list §7.1.
const (
	statusValid     = 0
	statusInvalid   = 1
	statusSuspended = 2
)

// listBits is how many bits a status has in our lists, and listSize how many statuses a list.
const (
	listBits = 2
	listSize = 1 << 16
)

// endless is how long a list is good that does not say when it ends: whoever kept one from
// before a revocation would show it for ever.
const endless = 24 * time.Hour

// Place is a credential's place in the status lists.
type Place struct {
	List  int
	Index int
}

// statusOf is what a credential is, by what the issuer says of its card. What nobody knows is
// suspended: it may come right again.
func statusOf(s verify.State) byte {
	switch s {
	case verify.StateActive:
		return statusValid
	case verify.StateRevoked, verify.StateSuperseded:
		return statusInvalid
	}
	return statusSuspended
}

// statusToken is a Status List Token (§5.1).
type statusToken struct {
	Issuer  string     `json:"iss"`
	Subject string     `json:"sub"`
	Issued  int64      `json:"iat"`
	Expires int64      `json:"exp"`
	TTL     int64      `json:"ttl"`
	List    statusList `json:"status_list"`
}

type statusList struct {
	Bits int    `json:"bits"`
	List string `json:"lst"`
}

// pack writes statuses by index (§4.1): the first in the least significant bits.
func pack(statuses map[int]byte) (statusList, error) {
	const each = 8 / listBits
	raw := make([]byte, listSize/each)
	for i, s := range statuses {
		if i >= 0 && i < listSize {
			raw[i/each] |= s << (listBits * (i % each))
		}
	}
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		return statusList{}, err
	}
	if _, err := z.Write(raw); err != nil {
		return statusList{}, err
	}
	if err := z.Close(); err != nil {
		return statusList{}, err
	}
	return statusList{listBits, b64.EncodeToString(b.Bytes())}, nil
}

// at is the status at an index; false if the list has none there, or is none.
func (l statusList) at(index int) (byte, bool) {
	if l.Bits != 1 && l.Bits != 2 && l.Bits != 4 && l.Bits != 8 || index < 0 {
		return 0, false
	}
	packed, err := b64.DecodeString(l.List)
	if err != nil {
		return 0, false
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, false
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxStatusList+1))
	each := 8 / l.Bits
	if err != nil || len(raw) > maxStatusList || index/each >= len(raw) {
		return 0, false
	}
	return raw[index/each] >> (l.Bits * (index % each)) & (1<<l.Bits - 1), true
}

// checkStatus says what a status token of the issuer's makes of a credential. Every doubt is
// CodeStatus: whoever cannot ask must not take it for an answer.
func checkStatus(token, issuer, uri string, index int, keys jose.JSONWebKeySet, now time.Time) error {
	if len(token) > maxStatusToken {
		return refuse(CodeStatus)
	}
	body, err := open(token, keys, CodeStatus, typeStatus)
	if err != nil {
		return &Refusal{CodeStatus, err}
	}
	var t statusToken
	if json.Unmarshal(body, &t) != nil || t.Subject != uri || t.Issuer != "" && t.Issuer != issuer {
		return refuse(CodeStatus)
	}
	if t.Issued == 0 || now.Add(leeway).Unix() < t.Issued || t.Expires != 0 && now.Unix() > t.Expires {
		return refuse(CodeStatus)
	}
	if t.Expires == 0 && now.Sub(time.Unix(t.Issued, 0)) > endless {
		return refuse(CodeStatus)
	}
	status, ok := t.List.at(index)
	switch {
	case !ok:
		return refuse(CodeStatus)
	case status == statusValid:
		return nil
	case status == statusInvalid:
		return refuse(CodeRevoked)
	case status == statusSuspended:
		return refuse(CodeSuspended)
	}
	return refuse(CodeStatus)
}
