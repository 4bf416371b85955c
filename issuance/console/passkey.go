package console

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// secretSize is the length of what a passkey's PRF returns, in octets; see WebAuthn L3 §10.1.4.
const secretSize = 32

// passkey is what is kept of one: the public part, and the operator's passphrase under the
// secret that only the passkey gives back; empty where it gives none.
type passkey struct {
	Credential webauthn.Credential `json:"credential"`
	Sealed     []byte              `json:"sealed,omitempty"`
}

// user is an operator as WebAuthn sees one.
type user struct {
	id   []byte
	name string
	keys []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return u.id }
func (u user) WebAuthnName() string                       { return u.name }
func (u user) WebAuthnDisplayName() string                { return u.name }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.keys }

// user makes the WebAuthn user of an operator. The handle tells nothing about who it is.
func (c *Console) user(operator string, keys ...webauthn.Credential) user {
	id := sha256.Sum256(append([]byte("tamthe console user\x00"+operator+"\x00"), c.salt...))
	return user{id[:], operator, keys}
}

// box is the cipher of an operator's passphrase under a passkey's secret.
func box(secret, id []byte) (cipher.AEAD, error) {
	if len(secret) != secretSize {
		return nil, errForm
	}
	key, err := hkdf.Key(sha256.New, secret, id, "tamthe console passphrase", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	clear(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal puts the passphrase under the secret; without a secret nothing is kept of it.
func (p *passkey) seal(operator string, secret, passphrase []byte) error {
	p.Sealed = nil
	if len(secret) == 0 {
		return nil
	}
	aead, err := box(secret, p.Credential.ID)
	if err != nil {
		return err
	}
	p.Sealed = aead.Seal(nil, nil, passphrase, []byte(operator))
	return nil
}

// passphrase opens what seal made; nil where it cannot.
func (p *passkey) passphrase(operator string, secret []byte) []byte {
	if len(p.Sealed) == 0 || len(secret) == 0 {
		return nil
	}
	aead, err := box(secret, p.Credential.ID)
	if err != nil {
		return nil
	}
	text, err := aead.Open(nil, nil, p.Sealed, []byte(operator))
	if err != nil {
		return nil
	}
	return text
}

// decode reads a record of Accounts.
func decodePasskey(record []byte) (*passkey, error) {
	var p passkey
	d := json.NewDecoder(bytes.NewReader(record))
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	return &p, nil
}

var (
	errInvitation  = &problem{"invitation", http.StatusForbidden, say{"Mã mời không đúng hoặc đã hết hạn", "The invitation's code is wrong or over"}, say{"Xin mã mới: `tamthe operator invite TÊN`.", "Ask for a new one: `tamthe operator invite NAME`."}}
	errCeremony    = &problem{"ceremony", http.StatusForbidden, say{"Lần đăng nhập này đã hết hạn", "This login took too long"}, say{"Bắt đầu lại.", "Begin again."}}
	errPasskey     = &problem{"passkey", http.StatusForbidden, say{"Khóa đăng nhập (passkey) không được chấp nhận", "The passkey was not accepted"}, say{"Dùng khóa đã đăng ký ở đây, hoặc đăng ký khóa bằng mã mời.", "Use the one that was registered here, or register one with an invitation."}}
	errCloned      = &problem{"passkey-cloned", http.StatusForbidden, say{"Khóa đăng nhập này có thể đã bị sao chép", "This passkey may have been copied"}, say{"Báo người quản trị; đăng ký khóa khác.", "Tell the administrator; register another one."}}
	errCertificate = &problem{"certificate", http.StatusForbidden, say{"Trình duyệt không có chứng thư của cán bộ nào ở đây", "The browser holds no certificate of an operator here"}, say{"Chọn chứng thư của bạn khi trình duyệt hỏi, hoặc dùng passkey.", "Choose yours when the browser asks, or use a passkey."}}
	errPassphrase  = &problem{"passphrase", http.StatusForbidden, say{"Mật khẩu không mở được khóa của cán bộ", "The passphrase does not open the operator's key"}, say{"Nhập lại mật khẩu.", "Type the passphrase again."}}
)

// unlock opens the operator's key. That it does not open is errPassphrase.
func (c *Console) unlock(ctx context.Context, operator string, passphrase []byte) (crypto.Signer, error) {
	key, err := c.config.Unlock(ctx, operator, passphrase)
	if err != nil {
		f := c.config.Explain(err, "en")
		c.config.Log.WarnContext(ctx, "an operator's key did not open", "operator", operator, "code", f.Code)
		if f.Code == "passphrase" || f.Code == "wrong-passphrase" {
			return nil, errPassphrase
		}
		return nil, err
	}
	return key, nil
}

// found looks a passkey up and checks the login with it.
func (c *Console) found(ctx context.Context, data webauthn.SessionData, answer *protocol.ParsedCredentialAssertionData) (operator string, p *passkey, err error) {
	_, credential, err := c.web.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		var record []byte
		if operator, record, err = c.config.Accounts.Find(ctx, id); err != nil {
			return nil, err
		}
		if operator == "" {
			return nil, errPasskey
		}
		if p, err = decodePasskey(record); err != nil {
			return nil, err
		}
		u := c.user(operator, p.Credential)
		if !bytes.Equal(handle, u.id) {
			return nil, errPasskey
		}
		return u, nil
	}, data, answer)
	switch {
	case err != nil:
		return "", nil, errors.Join(errPasskey, err)
	case !credential.Flags.UserVerified:
		return "", nil, errPasskey
	case credential.Authenticator.CloneWarning:
		return "", nil, errCloned
	}
	p.Credential = *credential
	return operator, p, nil
}

// keep writes what is known of a passkey after it was used.
func (c *Console) keep(ctx context.Context, p *passkey) error {
	record, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.config.Accounts.Update(ctx, p.Credential.ID, record)
}

// randomID names what waits for a browser.
func randomID() string { return rand.Text() }
