package signing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Signer is who signs security objects: a Service, or a Client of one.
type Signer interface {
	Sign(ctx context.Context, r *Request) ([]byte, error)
}

// ErrPeer means that the other end of a wire is not the one whose certificate was pinned.
var ErrPeer = errors.New("not the pinned certificate")

// Deadlines of the wire.
const (
	handshakeTime = 10 * time.Second
	idleTime      = time.Minute
	workTime      = 2 * time.Minute // a token and witnesses may have to be waited for
)

// maxConnections is how many desks are served at once.
const maxConnections = 64

// config is TLS 1.3 between two ends that know each other's certificates octet for octet.
// Names, dates and issuers in them say nothing.
func config(own tls.Certificate, peers []*x509.Certificate) (*tls.Config, error) {
	if len(own.Certificate) == 0 || own.PrivateKey == nil || len(peers) == 0 {
		return nil, errors.New("a certificate with its key, and those of the other end, are needed")
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // VerifyConnection decides, by the pin
		SessionTicketsDisabled: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, p := range peers {
				if len(s.PeerCertificates) > 0 && s.PeerCertificates[0].Equal(p) {
					return nil
				}
			}
			return ErrPeer
		},
	}, nil
}

// Serve answers requests on l until ctx ends: from clients with one of the certificates, to
// whom it shows its own. Every connection has its deadlines, and at most 64 are served at
// once. When it returns, l and all connections are closed. The error is nil when ctx ended.
func Serve(ctx context.Context, l net.Listener, s Signer, own tls.Certificate, clients []*x509.Certificate, log *slog.Logger) error {
	c, err := config(own, clients)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var wg sync.WaitGroup
	defer wg.Wait() // after cancel, which ends the connections
	defer l.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	places := make(chan struct{}, maxConnections)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("serve: %w", err)
		}
		select {
		case places <- struct{}{}:
		default:
			conn.Close()
			log.Warn("too many connections", "from", conn.RemoteAddr().String())
			continue
		}
		wg.Go(func() {
			defer func() { <-places }()
			if err := serve(ctx, tls.Server(conn, c), s); err != nil {
				log.Warn("a connection ended", "from", conn.RemoteAddr().String(), "why", err)
			}
		})
	}
}

// serve answers one connection's requests, one after the other.
func serve(ctx context.Context, conn *tls.Conn, s Signer) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	for {
		if err := conn.SetDeadline(time.Now().Add(idleTime)); err != nil {
			return err
		}
		b, err := readFrame(conn, MaxRequest)
		if err != nil {
			return nil // it went away, or has nothing to say
		}
		work, cancel := context.WithTimeout(ctx, workTime)
		a := handle(work, s, b)
		cancel()
		if err := conn.SetDeadline(time.Now().Add(idleTime)); err != nil {
			return err
		}
		if err := writeFrame(conn, a); err != nil {
			return err
		}
	}
}

func handle(ctx context.Context, s Signer, b []byte) []byte {
	r, err := ParseRequest(b)
	if err != nil {
		return answer(nil, err)
	}
	return answer(s.Sign(ctx, r))
}

// Client is a Signer at the other end of a wire. It keeps no connection between requests.
type Client struct {
	address string
	dialer  tls.Dialer
}

// Dial returns the client of a service at an address, host:port, whose certificate it knows.
// It connects with each request.
func Dial(address string, own tls.Certificate, service *x509.Certificate) (*Client, error) {
	if service == nil {
		return nil, fmt.Errorf("dial %s: %w", address, ErrPeer)
	}
	c, err := config(own, []*x509.Certificate{service})
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return &Client{address, tls.Dialer{NetDialer: &net.Dialer{Timeout: handshakeTime}, Config: c}}, nil
}

// Sign asks the service. An error before the request was sent, and one after, look alike:
// either way the same request may be made again, for a card is signed once.
func (c *Client) Sign(ctx context.Context, r *Request) ([]byte, error) {
	b, err := r.MarshalBinary()
	if err != nil {
		return nil, err
	}
	sod, err := c.exchange(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("signing service %s: %w", c.address, err)
	}
	return sod, nil
}

func (c *Client) exchange(ctx context.Context, b []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime+workTime)
	defer cancel()
	conn, err := c.dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := writeFrame(conn, b); err != nil {
		return nil, err
	}
	a, err := readFrame(conn, maxAnswer)
	if err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	return readAnswer(a)
}
