package cms

import (
	"crypto"
	"encoding/asn1"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// Message is what is to be signed, with what goes around it.
type Message struct {
	ContentType  asn1.ObjectIdentifier
	Content      []byte
	Certificate  *cert.Certificate // the signer's, packed in
	Certificates [][]byte          // further ones to pack in, e.g. the CSCA of a master list
	Algorithm    cert.Algorithm    // zero: cert.DefaultAlgorithm of the certificate's key
	ByKeyID      bool              // name the signer by key identifier (SignerInfo version 3)
	SigningTime  time.Time         // zero: no signing-time attribute
	Attributes   []Attribute       // further signed attributes
}

// A Draft is a SignedData that lacks only its signature.
type Draft struct {
	message    Message
	attributes []byte
}

// Prepare lays the message out. Errors wrap ErrStructure or cert.ErrAlgorithm.
func Prepare(m Message) (*Draft, error) { panic("todo") }

// ToBeSigned is the DER SET OF signed attributes that the signature covers.
func (d *Draft) ToBeSigned() []byte { panic("todo") }

// Sign signs and returns the finished ContentInfo, strict DER. The key must be that of
// the certificate, else the error wraps cert.ErrKey.
func (d *Draft) Sign(key crypto.Signer) ([]byte, error) { panic("todo") }

// Sign prepares and signs in one step.
func Sign(m Message, key crypto.Signer) ([]byte, error) { panic("todo") }
