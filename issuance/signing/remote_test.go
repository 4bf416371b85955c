package signing

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// identity is a self-signed certificate with its key. That it expired long ago says nothing:
// the pin decides.
func identity(t testing.TB) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))(t)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, must(x509.ParseCertificate(der))(t)
}

// says is a service that answers the same every time.
type says struct {
	sod []byte
	err error
}

func (s says) Sign(context.Context, *Request) ([]byte, error) { return s.sod, s.err }

// served runs a service on a port of its own until the test ends.
func served(t *testing.T, s Signer, own tls.Certificate, clients ...*x509.Certificate) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- Serve(ctx, l, s, own, clients, nil, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// TestRemote: what the service says arrives, with errors that can be told apart.
func TestRemote(t *testing.T) {
	service, serviceCert := identity(t)
	desk, deskCert := identity(t)
	for _, want := range []says{
		{sod: bytes.Repeat([]byte{0x77}, 4000)},
		{err: fmt.Errorf("card C-1: %w: dg1", issuance.ErrChanged)},
		{err: fmt.Errorf("sign: %w", ErrStaleCRL)},
		{err: ErrLost},
	} {
		c := must(Dial(served(t, want, service, deskCert), desk, serviceCert))(t)
		sod, err := c.Sign(t.Context(), sample(t))
		if !bytes.Equal(sod, want.sod) || !errors.Is(err, errors.Unwrap(want.err)) && !errors.Is(err, want.err) {
			t.Errorf("%x, %v, want %v", sod, err, want.err)
		}
		if want.err != nil && !strings.Contains(err.Error(), want.err.Error()) {
			t.Errorf("%q does not say %q", err, want.err)
		}
	}
	c := must(Dial(served(t, says{err: errors.New("pin 1234")}, service, deskCert), desk, serviceCert))(t)
	if _, err := c.Sign(t.Context(), sample(t)); !errors.Is(err, ErrFailed) || strings.Contains(err.Error(), "1234") {
		t.Errorf("what the service does not tell: %v", err)
	}
}

// TestRemotePins: neither end talks to one whose certificate it does not know, whoever
// signed that.
func TestRemotePins(t *testing.T) {
	service, serviceCert := identity(t)
	desk, deskCert := identity(t)
	stranger, strangerCert := identity(t)
	address := served(t, says{sod: []byte("sod")}, service, deskCert)
	for name, c := range map[string]*Client{
		"a stranger asks":             must(Dial(address, stranger, serviceCert))(t),
		"a stranger answers":          must(Dial(address, desk, strangerCert))(t),
		"the certificate without key": must(Dial(address, tls.Certificate{Certificate: desk.Certificate, PrivateKey: stranger.PrivateKey}, serviceCert))(t),
	} {
		if sod, err := c.Sign(t.Context(), sample(t)); err == nil {
			t.Errorf("%s: %q", name, sod)
		}
	}
	if sod := must(must(Dial(address, desk, serviceCert))(t).Sign(t.Context(), sample(t)))(t); string(sod) != "sod" {
		t.Errorf("%q", sod)
	}
	if _, err := Dial(address, desk, nil); !errors.Is(err, ErrPeer) {
		t.Error("no pin", err)
	}
	if _, err := Dial(address, tls.Certificate{}, serviceCert); err == nil {
		t.Error("no certificate of its own")
	}
}

// TestRemoteRubbish: frames that are too large, cut or no request end in a refusal, and the
// service goes on.
func TestRemoteRubbish(t *testing.T) {
	service, serviceCert := identity(t)
	desk, deskCert := identity(t)
	address := served(t, says{sod: []byte("sod")}, service, deskCert)
	tlsConfig := must(config(desk, []*x509.Certificate{serviceCert}))(t)
	for name, c := range map[string]struct {
		send []byte
		want error // nil: the connection ends
	}{
		"no request":   {append(binary.BigEndian.AppendUint32(nil, 3), "abc"...), ErrRequest},
		"nothing":      {binary.BigEndian.AppendUint32(nil, 0), ErrRequest},
		"four GB":      {binary.BigEndian.AppendUint32(nil, 1<<32-1), nil},
		"one too many": {binary.BigEndian.AppendUint32(nil, MaxRequest+1), nil},
	} {
		conn := must(tls.Dial("tcp", address, tlsConfig))(t)
		must(conn.Write(c.send))(t)
		b, err := readFrame(conn, maxAnswer)
		if err == nil {
			_, err = readAnswer(b)
		}
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		conn.Close()
	}
	must(must(Dial(address, desk, serviceCert))(t).Sign(t.Context(), sample(t)))(t)
}

// failing is a listener that fails at the second connection.
type failing struct {
	net.Listener
	accepted bool
}

var errAccept = errors.New("no more files")

func (f *failing) Accept() (net.Conn, error) {
	if f.accepted {
		return nil, errAccept
	}
	f.accepted = true
	return f.Listener.Accept()
}

// TestServeEnds: a service that can take no connection any more ends, and waits for no
// client who keeps one open.
func TestServeEnds(t *testing.T) {
	service, serviceCert := identity(t)
	desk, deskCert := identity(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	done := make(chan error, 1)
	go func() {
		done <- Serve(context.Background(), &failing{Listener: l}, says{}, service, []*x509.Certificate{deskCert}, nil, nil)
	}()
	conn := must(net.Dial("tcp", l.Addr().String()))(t)
	defer conn.Close()
	client := tls.Client(conn, must(config(desk, []*x509.Certificate{serviceCert}))(t))
	_ = client.Handshake() // it may be cut before it is done
	select {
	case err := <-done:
		if !errors.Is(err, errAccept) {
			t.Error(err)
		}
	case <-time.After(handshakeTime / 2):
		t.Fatal("it waits for a client")
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("its port is still open")
	}
}

// TestAnswers: an answer that no service gives is none.
func TestAnswers(t *testing.T) {
	for _, b := range [][]byte{nil, {0}, {1}, {1, 'x'}, {byte(len(refusals))}, {255, 1}} {
		if sod, err := readAnswer(b); sod != nil || !errors.Is(err, ErrFailed) {
			t.Errorf("%x: %x, %v", b, sod, err)
		}
	}
	if _, err := readAnswer([]byte("\x02\x1b[2Jred\xff")); err == nil || err.Error() != "?[2Jred?" {
		t.Errorf("%v", err)
	}
	seen := map[error]bool{}
	for _, e := range refusals {
		if seen[e] {
			t.Errorf("%v twice", e)
		}
		seen[e] = true
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("\x00sod"))
	f.Add([]byte("\x03no"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if sod, err := readAnswer(b); (len(sod) == 0) != (err != nil) {
			t.Errorf("%x, %v", sod, err)
		}
	})
}
