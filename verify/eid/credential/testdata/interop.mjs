// The other end of interop_test.go, by @sd-jwt/sd-jwt-vc of the OpenWallet Foundation. It reads
// one JSON document on standard input and writes one on standard output.
import { createRequire } from 'node:module';
import { webcrypto as crypto, createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.TAMTHE_SDJWT + '/');
const { SDJwtVcInstance } = require('@sd-jwt/sd-jwt-vc');
const { StatusList, createHeaderAndPayload } = require('@sd-jwt/jwt-status-list');

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const encode = (b) => Buffer.from(b).toString('base64url');
const signer = (jwk) => async (data) => {
  const key = await crypto.subtle.importKey('jwk', jwk, ES256, false, ['sign']);
  return encode(await crypto.subtle.sign(ES256, key, Buffer.from(data)));
};
const verifier = (jwk) => async (data, sig) => {
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ES256, false, ['verify']);
  return crypto.subtle.verify(ES256, key, Buffer.from(sig, 'base64url'), Buffer.from(data));
};
const common = {
  hasher: (data, alg) => createHash(alg.replace('-', '')).update(Buffer.from(data)).digest(),
  hashAlg: 'sha-256',
  saltGenerator: () => encode(randomBytes(16)),
  signAlg: 'ES256',
  kbSignAlg: 'ES256',
};
const generate = async () => {
  const pair = await crypto.subtle.generateKey(ES256, true, ['sign', 'verify']);
  return { secret: await crypto.subtle.exportKey('jwk', pair.privateKey), open: await crypto.subtle.exportKey('jwk', pair.publicKey) };
};

const q = JSON.parse(readFileSync(0, 'utf8'));
const out = {};
if (q.presentation) { // ours, to be verified here, with our status list
  const vc = new SDJwtVcInstance({
    ...common,
    verifier: verifier(q.issuer),
    kbVerifier: async (data, sig, payload) => verifier(payload.cnf.jwk)(data, sig),
    statusListFetcher: async (uri) => { if (uri !== q.uri) throw new Error('another list'); return q.status; },
  });
  try {
    const got = await vc.verify(q.presentation, { requiredClaimKeys: q.fields, keyBindingNonce: q.nonce, currentDate: q.now });
    out.payload = got.payload;
    out.binding = got.kb?.payload;
  } catch (e) { out.error = String(e.message ?? e); }
}
if (q.held) { // ours, to be presented here by its holder
  const vc = new SDJwtVcInstance({ ...common, verifier: verifier(q.issuer), kbSigner: signer(q.holder) });
  out.shown = await vc.present(q.held, Object.fromEntries(q.disclose.map((f) => [f, true])), { kb: { payload: { iat: q.now, aud: q.audience, nonce: q.nonce } } });
}
if (q.issue) { // theirs, to be verified by us
  const issuer = await generate();
  const holder = await generate();
  const vc = new SDJwtVcInstance({ ...common, signer: signer(issuer.secret), verifier: verifier(issuer.open), kbSigner: signer(holder.secret) });
  const uri = q.issue + '/credential/status/0';
  const text = await vc.issue(
    { iss: q.issue, iat: q.now, exp: q.now + 86400, vct: q.type, cnf: { jwk: holder.open }, status: { status_list: { idx: 3, uri } }, name: 'Lê Thị Thử', birth: '1990-02-15', age_over_18: true },
    { _sd: ['name', 'birth', 'age_over_18'], _sd_decoy: 2 },
  );
  out.theirs = await vc.present(text, { age_over_18: true, name: true }, { kb: { payload: { iat: q.now, aud: q.audience, nonce: q.nonce } } });
  out.key = issuer.open;
  out.lists = {};
  for (const [name, value] of [['valid', 0], ['revoked', 1], ['suspended', 2]]) {
    const list = new StatusList([0, 1, 2, value, 0, 0, 0, 0], 2);
    const { header, payload } = createHeaderAndPayload(list, { iss: q.issue, sub: uri, iat: q.now, exp: q.now + 3600 }, { alg: 'ES256', typ: 'statuslist+jwt' });
    const body = encode(JSON.stringify(header)) + '.' + encode(JSON.stringify(payload));
    out.lists[name] = body + '.' + (await signer(issuer.secret)(body));
  }
}
process.stdout.write(JSON.stringify(out));
