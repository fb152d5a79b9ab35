import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { SIGN_IN_CODE_MS, mintSignInCode, redeemSignInCode } from '@bullpen/auth';
import { Rejection } from '@bullpen/errors';

import type { GatewayConfig } from '../../config.js';
import { GATEWAY_CONFIG } from '../../tokens.js';
import { SignInBody } from './request.dto.js';
import { SignInAnswer, SignInCodeAnswer } from './response.dto.js';
import { valid } from './validation.js';

/** Local mode: a link with a one-time code lets a browser in; the key itself never stands in an address. */
@ApiTags('platform')
@Controller('api/v1')
export class SignInController {
  constructor(@Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig) {}

  @Post('sign-in-codes')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Makes a one-time code: `#code=<code>` behind the address of the dashboard signs a browser in.' })
  @ApiResponse({ status: 201, type: SignInCodeAnswer, description: '{code, validForMs}' })
  async makeCode() {
    const { BULLPEN_SIGN_IN_CODES: folder } = this.config;
    if (folder === undefined) throw new Rejection('sign-in.switched-off', 'This platform has no folder for codes. Set BULLPEN_SIGN_IN_CODES, or sign in with the token.');
    return { code: await mintSignInCode(folder), validForMs: SIGN_IN_CODE_MS };
  }

  /** Answers without a token. */
  @Post('sign-in')
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchanges a one-time code for the key of this platform.' })
  @ApiResponse({ status: 200, type: SignInAnswer, description: '{key}. The code is used up.' })
  @ApiResponse({ status: 401, description: 'sign-in.code-invalid' })
  async signIn(@Body(valid(SignInBody)) { code }: SignInBody) {
    const { BULLPEN_SIGN_IN_CODES: folder, BULLPEN_TOKEN: key } = this.config;
    if (folder !== undefined && (await redeemSignInCode(folder, code))) return { key };
    throw new Rejection('sign-in.code-invalid', 'This sign-in link was used already, or is too old. Get another one with: ./bullpen open');
  }
}
