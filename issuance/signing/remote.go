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
		NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert,
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

// Talk is another conversation than requests that a service has with its desks. It has
// talkTime, and ends when ctx does.
type Talk func(ctx context.Context, conn net.Conn) error

// talkTime is how long a card may take to be made.
const talkTime = 10 * time.Minute

// protocol and talks are how a connection says what it is for (RFC 7301).
const (
	protocol = "tamthe-signing/1"
	talks    = "tamthe-centre/1"
)

// Serve answers requests on l until ctx ends: from clients with one of the certificates, to
// whom it shows its own. Who asks for a talk gets one, if there is any. Every connection has
// its deadlines, and at most 64 are served at once. When it returns, l and all connections are
// closed. The error is nil when ctx ended.
func Serve(ctx context.Context, l net.Listener, s Signer, own tls.Certificate, clients []*x509.Certificate, log *slog.Logger, talk Talk) error {
	c, err := config(own, clients)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if talk != nil {
		c.NextProtos = append(c.NextProtos, talks)
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
			if err := serve(ctx, tls.Server(conn, c), s, talk); err != nil {
				log.Warn("a connection ended", "from", conn.RemoteAddr().String(), "why", err)
			}
		})
	}
}

// serve answers one connection's requests, one after the other.
func serve(ctx context.Context, conn *tls.Conn, s Signer, talk Talk) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if conn.ConnectionState().NegotiatedProtocol == talks {
		if err := conn.SetDeadline(time.Now().Add(talkTime)); err != nil {
			return err
		}
		return talk(ctx, conn)
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

// Talk opens the service's other conversation. A service that has none refuses.
func (c *Client) Talk(ctx context.Context) (net.Conn, error) {
	d := c.dialer
	d.Config = d.Config.Clone()
	d.Config.NextProtos = []string{talks}
	conn, err := d.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("centre %s: %w", c.address, err)
	}
	if conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != talks {
		err = errors.New("it makes no cards")
	}
	if err = errors.Join(err, conn.SetDeadline(time.Now().Add(talkTime))); err != nil {
		conn.Close()
		return nil, fmt.Errorf("centre %s: %w", c.address, err)
	}
	return conn, nil
}
