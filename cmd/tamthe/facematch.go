package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/card/picture/openjpeg"
	"github.com/tamthe/tamthe/verify"
)

// What a face comparison may cost.
const (
	faceDeadline  = 15 * time.Second
	maxFaceAnswer = 4096 // octets
)

// faceProgram is a verify.FaceMatcher that runs a program of the operator's, once a card.
// It gets one line of JSON on standard input, both pictures in it, and answers with one
// JSON object on standard output: score, threshold and engine. It is run without a shell,
// without arguments and with nothing of the environment but PATH.
type faceProgram struct {
	path     string
	live     []byte // JPEG or PNG
	deadline time.Duration
}

type (
	faceQuestion struct {
		Schema   string      `json:"schema"` // tamthe/face-match/1
		Portrait facePicture `json:"portrait"`
		Live     facePicture `json:"live"`
	}
	facePicture struct {
		Type string `json:"type"` // image/png or image/jpeg
		Data []byte `json:"data"` // base64
	}
	faceReply struct {
		Score     *float64 `json:"score"`
		Threshold *float64 `json:"threshold"`
		Engine    string   `json:"engine"`
	}
)

var errFaceReply = errors.New("the face comparison program's answer is no JSON object with score and threshold")

// newFaceProgram checks what can be checked before a card is read.
func newFaceProgram(program string, live []byte) (*faceProgram, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, usagef("--face-match: %w", err)
	}
	if c, _, _ := picture.Sniff(live); c != picture.JPEG && c != picture.PNG {
		return nil, usagef("--live is a JPEG or PNG picture")
	}
	return &faceProgram{path, live, faceDeadline}, nil
}

// MatchFace implements verify.FaceMatcher. The portrait is decoded and coded anew as PNG
// first, so that the program needs no JPEG 2000 and meets no octets of the card's. An
// error holds nothing that the program wrote.
func (f *faceProgram) MatchFace(ctx context.Context, portrait lds.Face) (verify.FaceScore, error) {
	question, err := f.question(ctx, portrait)
	if err != nil {
		return verify.FaceScore{}, err
	}
	limited, cancel := context.WithTimeout(ctx, f.deadline)
	defer cancel()
	cmd := exec.CommandContext(limited, f.path)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(question), io.Discard
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.WaitDelay = time.Second // for children that keep the pipe open
	out := &capped{most: maxFaceAnswer}
	cmd.Stdout = out
	err = cmd.Run()
	switch {
	case limited.Err() != nil:
		return verify.FaceScore{}, fmt.Errorf("the face comparison program takes longer than %v", f.deadline)
	case err != nil:
		return verify.FaceScore{}, fmt.Errorf("run the face comparison program: %w", err)
	}
	var r faceReply
	if err := json.Unmarshal(out.buffer.Bytes(), &r); err != nil || r.Score == nil || r.Threshold == nil {
		return verify.FaceScore{}, errFaceReply
	}
	return verify.FaceScore{Score: *r.Score, Threshold: *r.Threshold, Engine: r.Engine}, nil
}

func (f *faceProgram) question(ctx context.Context, portrait lds.Face) ([]byte, error) {
	img, err := picture.Decode(ctx, portrait.Image, picture.Options{JPEG2000: openjpeg.Decode})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := picture.EncodePNG(&b, img); err != nil {
		return nil, err
	}
	q := faceQuestion{"tamthe/face-match/1", facePicture{"image/png", b.Bytes()}, facePicture{"image/jpeg", f.live}}
	if c, _, _ := picture.Sniff(f.live); c == picture.PNG {
		q.Live.Type = "image/png"
	}
	line, err := json.Marshal(q)
	return append(line, '\n'), err
}

// capped is a buffer that refuses more than so many octets. The buffer is not embedded: its
// ReadFrom, which io.Copy prefers to Write, knows no bound.
type capped struct {
	buffer bytes.Buffer
	most   int
}

var errTooLong = errors.New("too long an answer")

// Write keeps b, or fails if it does not fit.
func (c *capped) Write(b []byte) (int, error) {
	if c.buffer.Len()+len(b) > c.most {
		return 0, errTooLong
	}
	return c.buffer.Write(b)
}
