package conformance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/binary"
	"math/big"

	"github.com/tamthe/tamthe/card/dh"
)

// ecKey is the SPECIMEN key of that name on a curve. Anybody can compute it: it must never
// sign what a real store trusts.
func ecKey(curve *dh.Curve, name string) *dh.PrivateKey {
	for n := uint32(0); ; n++ {
		seed := binary.BigEndian.AppendUint32([]byte("tamthe SPECIMEN key, "+curve.Name()+", "+name), n)
		first := sha512.Sum512(seed)
		second := sha512.Sum512(first[:])
		scalar := append(first[:], second[:]...)[:curve.OrderSize()]
		if curve.OrderSize() > 64 { // P-521, whose order has 521 bits
			scalar[0] &= 1
		}
		if k, err := curve.NewPrivateKey(scalar); err == nil {
			return k
		}
	}
}

// secretKey is the SPECIMEN key of that name in a prime field or on a curve.
func secretKey(g dh.Group, name string) dh.Secret {
	if c, ok := g.(*dh.Curve); ok {
		return ecKey(c, name)
	}
	m, ok := g.(*dh.MODP)
	if !ok {
		return nil
	}
	for n := uint32(0); ; n++ {
		seed := sha512.Sum512(binary.BigEndian.AppendUint32([]byte("tamthe SPECIMEN key, "+m.Name()+", "+name), n))
		x := make([]byte, m.OrderSize())
		copy(x[max(0, len(x)-20):], seed[:]) // 160 bits are enough for what protects nothing
		if k, err := m.NewExponent(x); err == nil {
			return k
		}
	}
}

// The SPECIMEN primes. Those of the first two keys are 2 modulo 3, so that the exponent 3
// fits as well; those of the third are of the kind that outsiders can compute.
var primes = map[string][2]string{
	"csca": {
		"d498693fe217c5801adcce215848037fd7fb6a1aa91a7f0f10b3edce07481beff29a33e26d377a1fe7aa89840681254018dab332ff900e44dca1703ddfc536751e233aebc8b6e740f417cf413b8b7dcb76840056aa25a3aaa040a98d180ce75f0f2a17af54e71c622b81a1e90f6ee5c0873973e49324d64345d8e46b8ffb7467",
		"c863b87b4f390e455d9feadb92116c6979625b6f8c71c2609f5be6051baa92019b25c3401dc4c45a25380a9306a7186370de12276900f9176cda518547ee39cabdd2dbf63792532bd08fe0a84405f7ddecd10835f756e82f013de67fd6ac8b48e6ae81ebcb0b51c45e309dfb36f5475e58917ef5793f7907ad39bc3c23fe4bf5",
	},
	"ds": {
		"c0967895a4ba9c806b0dcae5c28005096996bdf1610b593ac40e1551be62c34db9c848828f9df7059194fe5259c0b8fc6c4ce5fad4ff2e90e5a9606a556a068400f6c1e84d9a0a097458fab13635e77bb93c194ca09189cb8adbd480f546cdc04698a67277153a3038f2c49f3e0e5ea5c2afbebbea23a6de2f2346f8e530a293",
		"cc8acd67b5b091a15dcc696c3bbc4e24c31851dfbc3710862b33bc47b8b6de608074e600d13907f6469c58d75cc29b394b0a7ea56b42ca5942cd78bd4d4f4d1827b93d14724ecb618c055f9ff6fb3ca14400979cee64389edd9c7e024f4087c72ae48703c4d1fa15fbe2546ac5dc948986ecbb2750078e6075e19539ab9c3d55",
	},
	"roca": {
		"ca6aaa2e417150f7d583c94ad10ffc02c4f3b87d18c5ffdfdcf199058741a601febfc2d0adad6b326721cfe9f4b62eef2473be5ce71653e8210ba756595a8d5a4b17aacbb5e46a2f0635fe2bc8d771ef6c1321261db5e570f42e113630f10f647fbf4b71d106cc8f09397cdee38a6c4348f92e44abca86306adfb9405764c35f",
		"d03585815e9ac2915b1d613e86723992d397917e4d017e49f3238b422c98d61818325742eef097150fcf8c68b733c10e694935254498342f62a35864cc8f2b4889a7fad6bb961108fc2f97d2363cf392a4165c3811a193bc7c1e1e679604b20528e89111b49313dd173f11b8a3af2487f5a9a750e2895562805468b4e544d947",
	},
	"short": {
		"d7b14b66d5848f63b71fe1bb4b05cea5ed686f80cf27ac7812be020a98d3aabddbfad02c36bcfdbe4395a2bd10caf056df04e7382626d70255e25e191dbf52e9",
		"d417afdb05256d0b472b2c10a24b806aceb2e33dfb2481f454ed32e1c420058467f5157be60b0259df92977ef32e3d7e4865353653bc603a4b774035b194fb37",
	},
}

// rsaKey is the SPECIMEN key of that name with the exponent.
func rsaKey(name string, e int) *rsa.PrivateKey {
	p, _ := new(big.Int).SetString(primes[name][0], 16)
	q, _ := new(big.Int).SetString(primes[name][1], 16)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: e},
		D:         new(big.Int).ModInverse(big.NewInt(int64(e)), phi), Primes: []*big.Int{p, q},
	}
	k.Precompute()
	return k
}

// otherSigner signs with one key and shows another.
type otherSigner struct {
	crypto.Signer
	shown crypto.PublicKey
}

func (o otherSigner) Public() crypto.PublicKey { return o.shown }
