// Package evidence keeps what an inspection rested on in a bundle that can be judged again
// without the card, and says what of it convinces others.
//
// A bundle is one line of JSON (schema tamthe/evidence/1; octets in lower-case
// hexadecimal), so that `jq` opens it. Its last member is the seal, a signature of the
// device over the octets before it:
//
//	jq -cj 'del(.seal)' FILE > body
//	jq -r .seal.signature FILE | xxd -r -p > signature
//	jq -r .seal.key FILE | xxd -r -p > key                      # SubjectPublicKeyInfo
//	openssl dgst -sha256 -verify key -keyform DER -signature signature body
//
// (an Ed25519 seal by `openssl pkeyutl -verify -rawin`). There is one encoding of a bundle:
// Parse refuses every other. Context says how the challenge of Active Authentication follows
// from the case.
//
// What convinces a third party is what others signed: the issuer the data, and the chip the
// challenge of the case. It shows that this chip signed for this case and device; not
// when, unless the name of the case could not be foreseen, nor who held the card. All else is
// the word of the device that sealed: the seal shows that nobody else changed it since.
package evidence
