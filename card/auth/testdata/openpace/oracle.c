/* One end of PACE, Chip Authentication 2 or Terminal Authentication by libeac (OpenPACE),
 * spoken in lines of hexadecimal digits on standard input and output. It is compiled by the
 * tests, with `cc oracle.c $(pkg-config --cflags --libs libeac)`, and is part of no program. */
#include <eac/ca.h>
#include <eac/eac.h>
#include <eac/objects.h>
#include <eac/pace.h>
#include <eac/ta.h>
#include <openssl/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 16384

static void die(const char *what) {
	fprintf(stderr, "oracle: %s\n", what);
	exit(1);
}

static void put(const BUF_MEM *b) {
	if (b == NULL) die("nothing to say");
	for (size_t i = 0; i < b->length; i++) printf("%02X", (unsigned char)b->data[i]);
	printf("\n");
	fflush(stdout);
}

static BUF_MEM *get(void) {
	static char line[MAX_LINE];
	if (fgets(line, sizeof line, stdin) == NULL) die("no line");
	size_t n = strcspn(line, "\n") / 2;
	BUF_MEM *b = BUF_MEM_new();
	if (b == NULL || !BUF_MEM_grow(b, n)) die("memory");
	for (size_t i = 0; i < n; i++) {
		unsigned v;
		if (sscanf(line + 2 * i, "%2X", &v) != 1) die("no hexadecimal digits");
		b->data[i] = (char)v;
	}
	return b;
}

static BUF_MEM *file(const char *path) {
	FILE *f = fopen(path, "rb");
	if (f == NULL) die(path);
	BUF_MEM *b = BUF_MEM_new();
	if (b == NULL || !BUF_MEM_grow(b, MAX_LINE)) die("memory");
	b->length = fread(b->data, 1, MAX_LINE, f);
	fclose(f);
	return b;
}

static void pace(EAC_CTX *ctx, int chip, const char *can) {
	PACE_SEC *secret = PACE_SEC_new(can, strlen(can), PACE_CAN);
	if (secret == NULL) die("secret");
	if (chip) {
		put(PACE_STEP1_enc_nonce(ctx, secret));
	} else if (!PACE_STEP2_dec_nonce(ctx, secret, get())) {
		die("nonce");
	}
	put(PACE_STEP3A_generate_mapping_data(ctx));
	if (!PACE_STEP3A_map_generator(ctx, get())) die("mapping");
	put(PACE_STEP3B_generate_ephemeral_key(ctx));
	BUF_MEM *peer = get();
	if (!PACE_STEP3B_compute_shared_secret(ctx, peer)) die("agreement");
	if (!PACE_STEP3C_derive_keys(ctx)) die("keys");
	put(PACE_STEP3D_compute_authentication_token(ctx, peer));
	if (PACE_STEP3D_verify_authentication_token(ctx, get()) != 1) die("token");
	put(ctx->pace_ctx->ka_ctx->k_enc);
	put(ctx->pace_ctx->ka_ctx->k_mac);
}

static void chip2(EAC_CTX *ctx, int chip) {
	BUF_MEM *nonce = NULL, *token = NULL, *peer;
	if (chip) {
		put(ctx->ca_ctx->ka_ctx->generate_key(ctx->ca_ctx->ka_ctx->key, ctx->bn_ctx));
		peer = get();
		if (!CA_STEP4_compute_shared_secret(ctx, peer)) die("agreement");
		if (!CA_STEP5_derive_keys(ctx, peer, &nonce, &token)) die("keys");
		put(nonce);
		put(token);
	} else {
		put(TA_STEP3_generate_ephemeral_key(ctx));
		put(CA_STEP2_get_eph_pubkey(ctx));
		peer = get();
		if (!CA_STEP4_compute_shared_secret(ctx, peer)) die("agreement");
		nonce = get();
		token = get();
		if (CA_STEP6_derive_keys(ctx, nonce, token) != 1) die("token");
	}
	put(ctx->ca_ctx->ka_ctx->k_enc);
	put(ctx->ca_ctx->ka_ctx->k_mac);
}

static void terminal(EAC_CTX *ctx, int chip, char **paths) {
	if (chip) {
		BUF_MEM *root = file(paths[0]);
		if (!EAC_CTX_init_ta(ctx, NULL, 0, (unsigned char *)root->data, root->length)) die("trust point");
		TA_disable_checks(ctx); /* the clock only: signatures are verified all the same */
		for (char **p = paths + 1; *p != NULL; p++) {
			BUF_MEM *c = file(*p);
			if (!TA_STEP2_import_certificate(ctx, (unsigned char *)c->data, c->length)) die("certificate");
		}
		put(TA_STEP4_get_nonce(ctx));
		BUF_MEM *terminal_key = get(), *chip_key = get(), *signature = get();
		if (TA_STEP6_verify(ctx, terminal_key, chip_key, NULL, signature) != 1) die("signature");
		printf("OK\n");
		return;
	}
	BUF_MEM *certificate = file(paths[0]), *key = file(paths[1]);
	if (!EAC_CTX_init_ta(ctx, (unsigned char *)key->data, key->length, (unsigned char *)certificate->data, certificate->length)) die("terminal's key");
	if (!TA_STEP4_set_nonce(ctx, get())) die("challenge");
	BUF_MEM *terminal_key = get(), *chip_key = get();
	put(TA_STEP5_sign(ctx, terminal_key, chip_key, NULL));
}

int main(int argc, char **argv) {
	if (argc < 5) die("usage: oracle pace|ca|ta chip|terminal PROTOCOL ID SECRET|FILES...");
	EAC_init();
	EAC_CTX *ctx = EAC_CTX_new();
	int chip = strcmp(argv[2], "chip") == 0;
	int protocol = EAC_OBJ_sn2nid(argv[3]), id = atoi(argv[4]);
	if (ctx == NULL) die("memory");
	if (strcmp(argv[1], "pace") == 0) {
		if (argc < 6 || !EAC_CTX_init_pace(ctx, protocol, id)) die("PACE");
		pace(ctx, chip, argv[5]);
	} else if (strcmp(argv[1], "ca") == 0) {
		if (!EAC_CTX_init_ca(ctx, protocol, id)) die("CA");
		chip2(ctx, chip);
	} else {
		terminal(ctx, chip, argv + 5);
	}
	return 0;
}
