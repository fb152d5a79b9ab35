import { useNavigate } from '@tanstack/react-router';

import { HomeComposer } from '../features/composer/home-composer.js';

export function HomeRoute() {
  const navigate = useNavigate();
  return <HomeComposer onCreated={(sessionId) => void navigate({ to: '/s/$sessionId', params: { sessionId } })} />;
}
