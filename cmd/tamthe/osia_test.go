package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// osiaSystem is another system's end in a script:
//
//	osia-system URL TOKEN-FILE METHOD PATH TRANSACTION [BODY-FILE [FACE-FILE]]
//
// It prints the status and the body; FACE in the body becomes the picture in Base64. And
//
//	osia-system face SEED QUALITY FILE
//
// draws a picture: those of one seed look alike, compressed as they may be.
func osiaSystem() {
	if err := runOSIASystem(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runOSIASystem(args []string) error {
	if args[0] == "face" {
		return drawPicture(args[1], args[2], args[3])
	}
	token, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var body []byte
	if len(args) > 5 {
		if body, err = os.ReadFile(args[5]); err != nil {
			return err
		}
	}
	if len(args) > 6 {
		face, err := os.ReadFile(args[6])
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte("FACE-OCTETS"), []byte(base64.StdEncoding.EncodeToString(face)))
	}
	req, err := http.NewRequest(args[2], args[0]+args[3]+"?transactionId="+args[4], bytes.NewReader(body)) //nolint:noctx // a program of one call
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(strings.SplitN(string(token), "\n", 2)[0]))
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	fmt.Printf("%d\n%s", resp.StatusCode, b)
	return err
}

// drawPicture draws a picture for a card.
func drawPicture(seed, quality, file string) error {
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return err
	}
	q, err := strconv.Atoi(quality)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(n, 1))
	m := image.NewGray(image.Rect(0, 0, 340, 320))
	var grey [16 * 17]uint8
	for i := range grey {
		grey[i] = uint8(r.IntN(16) * 16)
	}
	for i := range m.Pix {
		m.Pix[i] = color.Gray{Y: grey[i/340/20*17+i%340/20]}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: q}); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}
